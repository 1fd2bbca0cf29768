# bash completion of kactl(8). Generated from the tables of the command line: make man.
# shellcheck shell=bash

# The objects of a topic, by what is before their names.
_kactl_names() {
    # shellcheck disable=SC2086 # the topic may be followed by a name
    kactl show $1 2>/dev/null | sed -n "s/^$2 //p"
}

_kactl() {
    local cur prev words cword i word list='' command='' place=0 before=''
    if declare -F _get_comp_words_by_ref >/dev/null; then
        # Names of servers contain colons.
        _get_comp_words_by_ref -n : cur prev words cword
    else
        words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
        cur=${words[cword]} prev=${words[cword - 1]}
    fi
    COMPREPLY=()
    for ((i = 1; i < cword; i++)); do
        word=${words[i]}
        case $word in
        -s | --socket | --healthy | --since | --to | --for) ((i++)) ;;
        -*) ;;
        *)
            if [[ -z $command ]]; then
                command=$word
            else
                place=$((place + 1)) before=$word
            fi
            ;;
        esac
    done
    case $prev in
    -s | --socket)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    --healthy) list=$(_kactl_names instance 'instance'; _kactl_names group 'group'; _kactl_names track 'interface'; _kactl_names track 'script'; _kactl_names track 'file'; _kactl_names track 'process'; _kactl_names track 'BFD session'; _kactl_names service 'virtual server'; _kactl_names server 'real server') ;;
    --since | --to | --for) return ;;
    *)
        case $cur in
        -*)
            case $command in
            status) list=$(printf '%s\n' --socket --json --watch --healthy --help --version) ;;
            show) list=$(printf '%s\n' --socket --json --help --version) ;;
            metrics) list=$(printf '%s\n' --socket --help --version) ;;
            explain) list=$(printf '%s\n' --socket --help --version) ;;
            events) list=$(printf '%s\n' --socket --json --follow --since --help --version) ;;
            reload) list=$(printf '%s\n' --socket --dry-run --help --version) ;;
            restart) list=$(printf '%s\n' --socket --help --version) ;;
            priority) list=$(printf '%s\n' --socket --help --version) ;;
            failover) list=$(printf '%s\n' --socket --dry-run --to --for --force --help --version) ;;
            maintenance) list=$(printf '%s\n' --socket --for --help --version) ;;
            server) list=$(printf '%s\n' --socket --help --version) ;;
            script) list=$(printf '%s\n' --socket --help --version) ;;
            log-level) list=$(printf '%s\n' --socket --help --version) ;;
            *) list=$(printf '%s\n' --socket --help --version) ;;
            esac
            ;;
        *)
            case "$command $place" in
            ' 0') list=$(printf '%s\n' status show metrics explain events reload restart priority failover maintenance server script log-level) ;;
            'show 0') list=$(printf '%s\n' instance group track service server holdings config) ;;
            'show 1') list=$(_kactl_names instance 'instance'; _kactl_names group 'group'; _kactl_names track 'interface'; _kactl_names track 'script'; _kactl_names track 'file'; _kactl_names track 'process'; _kactl_names track 'BFD session'; _kactl_names service 'virtual server'; _kactl_names server 'real server') ;;
            'explain 0') list=$(_kactl_names instance 'instance'; _kactl_names group 'group'; _kactl_names track 'interface'; _kactl_names track 'script'; _kactl_names track 'file'; _kactl_names track 'process'; _kactl_names track 'BFD session'; _kactl_names service 'virtual server'; _kactl_names server 'real server') ;;
            'events 0') list=$(_kactl_names instance 'instance'; _kactl_names group 'group'; _kactl_names track 'interface'; _kactl_names track 'script'; _kactl_names track 'file'; _kactl_names track 'process'; _kactl_names track 'BFD session'; _kactl_names service 'virtual server'; _kactl_names server 'real server') ;;
            'reload 0') mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
            'priority 0') list=$(_kactl_names instance 'instance') ;;
            'priority 1') list=$(printf '%s\n' reset) ;;
            'failover 0') list=$(_kactl_names instance 'instance'; _kactl_names group 'group') ;;
            'failover 1') list=$(printf '%s\n' end) ;;
            'maintenance 0') list=$(printf '%s\n' on off) ;;
            'server 0') list=$(_kactl_names service 'virtual server') ;;
            'server 1') list=$(_kactl_names "server $before" 'real server') ;;
            'server 2') list=$(printf '%s\n' drain disable enable weight check-now) ;;
            'script 0') list=$(_kactl_names track 'script') ;;
            'script 1') list=$(printf '%s\n' run-now) ;;
            'log-level 0') list=$(printf '%s\n' reset) ;;
            esac
            ;;
        esac
        ;;
    esac
    while IFS= read -r word; do
        if [[ -n $word && $word == "$cur"* ]]; then
            COMPREPLY+=("$word")
        fi
    done <<<"$list"
    if declare -F __ltrim_colon_completions >/dev/null; then
        __ltrim_colon_completions "$cur"
    fi
}

complete -F _kactl kactl
