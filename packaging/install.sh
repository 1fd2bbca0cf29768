#!/bin/sh
# Install keepalived, or remove it; the configuration is neither written nor removed.
#
#   install.sh [--uninstall]
#
# Run as root in an unpacked archive; `make install` runs it too. DESTDIR, PREFIX, SYSCONFDIR and
# the like may be set in the environment.
set -eu

PREFIX=${PREFIX:-/usr}
SBINDIR=${SBINDIR:-$PREFIX/sbin}
BINDIR=${BINDIR:-$PREFIX/bin}
MANDIR=${MANDIR:-$PREFIX/share/man}
DOCDIR=${DOCDIR:-$PREFIX/share/doc/keepalived}
BASHCOMPDIR=${BASHCOMPDIR:-$PREFIX/share/bash-completion/completions}
ZSHCOMPDIR=${ZSHCOMPDIR:-$PREFIX/share/zsh/site-functions}
FISHCOMPDIR=${FISHCOMPDIR:-$PREFIX/share/fish/vendor_completions.d}
UNITDIR=${UNITDIR:-/lib/systemd/system}
SYSCONFDIR=${SYSCONFDIR:-/etc}
DESTDIR=${DESTDIR:-}
# The file with options, and the variable in it, as the distribution has them.
if [ -z "${DEFAULTS:-}" ]; then
    DEFAULTS=default
    [ -n "$DESTDIR" ] || [ ! -d /etc/sysconfig ] || DEFAULTS=sysconfig
fi
# What starts the daemon: systemd, sysv, openrc, or several; or none.
if [ -z "${INIT:-}" ]; then
    INIT=systemd
    if [ -z "$DESTDIR" ] && ! command -v systemctl >/dev/null; then
        if command -v openrc-run >/dev/null; then INIT=openrc; else INIT=sysv; fi
    fi
fi
case $INIT in openrc) DEFAULTS=conf.d ;; esac
case $DEFAULTS in
default) OPTIONS=DAEMON_ARGS ;;
sysconfig) OPTIONS=KEEPALIVED_OPTIONS ;;
conf.d) OPTIONS=KEEPALIVED_OPTS ;;
*) echo "install.sh: DEFAULTS is default, sysconfig or conf.d, not '$DEFAULTS'" >&2; exit 2 ;;
esac
defaults=$SYSCONFDIR/$DEFAULTS/keepalived

cd "$(dirname "$0")"
[ -d conf ] || cd ..
binary=${BINARY:-keepalived}

# put MODE FILE TARGET: by way of a new file, since a running program cannot be overwritten.
put() {
    mkdir -p "$DESTDIR$(dirname "$3")"
    cp "$2" "$DESTDIR$3.new"
    chmod "$1" "$DESTDIR$3.new"
    mv -f "$DESTDIR$3.new" "$DESTDIR$3"
}

link() {
    mkdir -p "$DESTDIR$(dirname "$2")"
    ln -sf "$1" "$DESTDIR$2"
}

# put with the usual paths and names replaced.
fill() {
    mkdir -p "$DESTDIR$(dirname "$3")"
    sed -e "s,/usr/sbin/,$SBINDIR/,g" -e "s,/etc/keepalived/,$SYSCONFDIR/keepalived/,g" \
        -e "s,/etc/default/keepalived,$defaults,g" -e "s,DAEMON_ARGS,$OPTIONS,g" \
        "$2" >"$DESTDIR$3.new"
    chmod "$1" "$DESTDIR$3.new"
    mv -f "$DESTDIR$3.new" "$DESTDIR$3"
}

# The distribution's package would be damaged, and its next upgrade would bring its files back.
warn_of_package() {
    [ -z "$DESTDIR" ] || return 0
    program=$SBINDIR/keepalived
    if package=$(dpkg-query -S "$program" 2>/dev/null); then
        package=${package%%:*}
        keep="apt-mark hold $package"
        better="make deb"
    elif package=$(rpm -qf --qf '%{NAME}' "$program" 2>/dev/null); then
        keep="dnf versionlock add $package"
        better="make rpm"
    elif package=$(apk info -q -W "$program" 2>/dev/null) && [ -n "$package" ]; then
        keep="echo '$package=$package-version' >>/etc/apk/world, with the installed version"
        better="make apk"
    else
        return 0
    fi
    echo "install.sh: $program and the service keepalived belong to the package $package, and are replaced."
    echo "  Its next upgrade would bring its own files back. Prevent that with: $keep"
    echo "  Or install a package, which replaces it properly ($better), instead."
}

install_all() {
    [ -e "$binary" ] || { echo "install.sh: no program '$binary': make or make static builds it" >&2; exit 1; }
    warn_of_package
    put 755 "$binary" "$SBINDIR/keepalived"
    link keepalived "$SBINDIR/kactl"
    link "$SBINDIR/keepalived" "$BINDIR/genhash"
    for page in man/*.[158]; do
        put 644 "$page" "$MANDIR/man${page##*.}/${page##*/}"
    done
    put 644 conf/completions/kactl.bash "$BASHCOMPDIR/kactl"
    put 644 conf/completions/_kactl "$ZSHCOMPDIR/_kactl"
    put 644 conf/completions/kactl.fish "$FISHCOMPDIR/kactl.fish"
    for init in $INIT; do
        case $init in
        systemd) fill 644 conf/keepalived.service "$UNITDIR/keepalived.service" ;;
        sysv) fill 755 conf/keepalived.init "$SYSCONFDIR/init.d/keepalived" ;;
        openrc) fill 755 conf/keepalived.openrc "$SYSCONFDIR/init.d/keepalived" ;;
        none) ;;
        *) echo "install.sh: INIT is systemd, sysv, openrc or none, not '$init'" >&2; exit 2 ;;
        esac
    done
    for file in README.md CHANGELOG.md LICENSE THIRD-PARTY sbom.cdx.json; do
        [ ! -e "$file" ] || put 644 "$file" "$DOCDIR/$file"
    done
    for file in conf/*.conf conf/grafana-dashboard.json conf/prometheus-alerts.yml conf/keepalived.init; do
        case $file in
        conf/keepalived.conf) name=keepalived.conf.sample ;;
        *) name=${file##*/} ;;
        esac
        put 644 "$file" "$DOCDIR/samples/$name"
    done
    fill 644 conf/keepalived-nonroot.service "$DOCDIR/samples/keepalived-nonroot.service"
    fill 644 conf/keepalived.service.d/hardened.conf "$DOCDIR/samples/keepalived-hardened.conf"
    # A sample is never live: the daemon would claim the sample's addresses.
    put 644 conf/keepalived.conf "$SYSCONFDIR/keepalived/keepalived.conf.sample"
    [ "$INIT" = none ] || [ -e "$DESTDIR$defaults" ] || fill 644 conf/keepalived.default "$defaults"
    [ -z "$DESTDIR" ] || return 0
    case $INIT in *systemd*) ! command -v systemctl >/dev/null || systemctl daemon-reload 2>/dev/null || true ;; esac
    if [ -s "$SYSCONFDIR/keepalived/keepalived.conf" ]; then
        echo "install.sh: a running keepalived takes over with 'kactl restart', without a failover"
    else
        echo "install.sh: begin with a copy of $SYSCONFDIR/keepalived/keepalived.conf.sample as keepalived.conf there,"
        echo "  check it with 'keepalived -t', then start the service keepalived"
    fi
}

uninstall_all() {
    rm -f "$DESTDIR$SBINDIR/keepalived" "$DESTDIR$SBINDIR/kactl" "$DESTDIR$BINDIR/genhash"
    for page in man/*.[158]; do
        rm -f "$DESTDIR$MANDIR/man${page##*.}/${page##*/}"
    done
    rm -f "$DESTDIR$BASHCOMPDIR/kactl" "$DESTDIR$ZSHCOMPDIR/_kactl" "$DESTDIR$FISHCOMPDIR/kactl.fish"
    rm -f "$DESTDIR$UNITDIR/keepalived.service" "$DESTDIR$SYSCONFDIR/init.d/keepalived"
    rm -rf "$DESTDIR$DOCDIR"
    rm -f "$DESTDIR$SYSCONFDIR/keepalived/keepalived.conf.sample"
    rmdir "$DESTDIR$SYSCONFDIR/keepalived" 2>/dev/null || true
    echo "install.sh: keepalived is removed; configuration and options in $SYSCONFDIR stay"
}

case ${1:-} in
'') install_all ;;
--uninstall) uninstall_all ;;
*) sed -n 's/^# \{0,1\}//p' "$0" | sed -n 2,7p >&2; exit 2 ;;
esac
