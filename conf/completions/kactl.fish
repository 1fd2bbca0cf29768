# fish completion of kactl(8). Generated from the tables of the command line: make man.

# The words that are no options.
function __kactl_words
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case -s --socket --healthy --since --to --for
                set skip 1
            case '-*'
            case '*'
                echo $word
        end
    end
end

# The command, and how many arguments it has so far.
function __kactl_at -a command place
    set -l words (__kactl_words)
    test (count $words) -eq (math $place + 1); and test "$words[1]" = $command
end

# The objects of a topic, by what is before their names.
function __kactl_names
    kactl show $argv[2..] 2>/dev/null | string replace -rf "^$argv[1] " ''
end

complete -c kactl -f
complete -c kactl -n 'test (count (__kactl_words)) -eq 0' -a status -d 'Show virtual routers and servers in a table'
complete -c kactl -n 'test (count (__kactl_words)) -eq 0' -a show -d 'Show all objects of a topic, or one of them, in detail'
complete -c kactl -n 'test (count (__kactl_words)) -eq 0' -a metrics -d 'Print the status as metrics'
complete -c kactl -n 'test (count (__kactl_words)) -eq 0' -a explain -d 'Say why an object is in its state'
complete -c kactl -n 'test (count (__kactl_words)) -eq 0' -a events -d 'Show the journal'
complete -c kactl -n 'test (count (__kactl_words)) -eq 0' -a reload -d 'Read the configuration again and wait for the outcome'
complete -c kactl -n 'test (count (__kactl_words)) -eq 0' -a restart -d 'Let the installed program take over, as after an upgrade'
complete -c kactl -n 'test (count (__kactl_words)) -eq 0' -a priority -d 'Use N, from 1 to 254, as the base of the priority of an instance'
complete -c kactl -n 'test (count (__kactl_words)) -eq 0' -a failover -d 'Hand an instance or sync group over to another router'
complete -c kactl -n 'test (count (__kactl_words)) -eq 0' -a maintenance -d 'Leave the work to other routers'
complete -c kactl -n 'test (count (__kactl_words)) -eq 0' -a server -d 'Drain, disable, enable or weigh a real server, or check it now'
complete -c kactl -n 'test (count (__kactl_words)) -eq 0' -a script -d 'Run a tracked script at once'
complete -c kactl -n 'test (count (__kactl_words)) -eq 0' -a log-level -d 'Log more or less of some modules'
complete -c kactl -s s -l socket -rF -d 'The control socket; the default is that of the variable KACTL_SOCKET, or /run/keepalived.sock, or the only one below /run/keepalived'
complete -c kactl -n '__fish_seen_subcommand_from status show events' -s j -l json -d 'JSON instead of text'
complete -c kactl -n '__fish_seen_subcommand_from status' -s w -l watch -d 'Repeat every second'
complete -c kactl -n '__fish_seen_subcommand_from status' -l healthy -x -a '(__kactl_names "instance" instance; __kactl_names "group" group; __kactl_names "interface" track; __kactl_names "script" track; __kactl_names "file" track; __kactl_names "process" track; __kactl_names "BFD session" track; __kactl_names "virtual server" service; __kactl_names "real server" server)' -d 'Tell by the exit status whether this object is healthy'
complete -c kactl -n '__fish_seen_subcommand_from events' -s f -l follow -d 'Wait for new events and show them as well'
complete -c kactl -n '__fish_seen_subcommand_from events' -l since -x -d 'Show the events after number N'
complete -c kactl -n '__fish_seen_subcommand_from reload failover' -l dry-run -d 'Change nothing, show what would happen'
complete -c kactl -n '__fish_seen_subcommand_from failover' -l to -x -d 'Hand over to the router that sends from this address only'
complete -c kactl -n '__fish_seen_subcommand_from failover maintenance' -l for -x -d 'End the order after this time, such as 90s, 10m, 2h or 1d'
complete -c kactl -n '__fish_seen_subcommand_from failover' -l force -d 'Try it even if no other router was heard as MASTER'
complete -c kactl -s h -l help -d 'Print this help'
complete -c kactl -s v -l version -d 'Print the version'
complete -c kactl -n '__kactl_at show 0' -a 'instance group track service server holdings config'
complete -c kactl -n '__kactl_at show 1' -a '(__kactl_names "instance" instance; __kactl_names "group" group; __kactl_names "interface" track; __kactl_names "script" track; __kactl_names "file" track; __kactl_names "process" track; __kactl_names "BFD session" track; __kactl_names "virtual server" service; __kactl_names "real server" server)'
complete -c kactl -n '__kactl_at explain 0' -a '(__kactl_names "instance" instance; __kactl_names "group" group; __kactl_names "interface" track; __kactl_names "script" track; __kactl_names "file" track; __kactl_names "process" track; __kactl_names "BFD session" track; __kactl_names "virtual server" service; __kactl_names "real server" server)'
complete -c kactl -n '__kactl_at events 0' -a '(__kactl_names "instance" instance; __kactl_names "group" group; __kactl_names "interface" track; __kactl_names "script" track; __kactl_names "file" track; __kactl_names "process" track; __kactl_names "BFD session" track; __kactl_names "virtual server" service; __kactl_names "real server" server)'
complete -c kactl -n '__kactl_at reload 0' -F
complete -c kactl -n '__kactl_at priority 0' -a '(__kactl_names "instance" instance)'
complete -c kactl -n '__kactl_at priority 1' -a 'reset'
complete -c kactl -n '__kactl_at failover 0' -a '(__kactl_names "instance" instance; __kactl_names "group" group)'
complete -c kactl -n '__kactl_at failover 1' -a 'end'
complete -c kactl -n '__kactl_at maintenance 0' -a 'on off'
complete -c kactl -n '__kactl_at server 0' -a '(__kactl_names "virtual server" service)'
complete -c kactl -n '__kactl_at server 1' -a '(__kactl_names "real server" server (__kactl_words)[2])'
complete -c kactl -n '__kactl_at server 2' -a 'drain disable enable weight check-now'
complete -c kactl -n '__kactl_at script 0' -a '(__kactl_names "script" track)'
complete -c kactl -n '__kactl_at script 1' -a 'run-now'
complete -c kactl -n '__kactl_at log-level 0' -a 'reset'
