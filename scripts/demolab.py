"""Shared by the demos: namespaces, routers that run keepalived, a client that pings.

Everything runs in network namespaces under a private /run, so the host is not affected and nothing
is left behind. Root is not needed if user namespaces are allowed.
"""
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

CLIENT = "10.1.0.100"
PATIENCE = 15  # seconds for what takes four
PROBE_EVERY = 0.01


class Failed(Exception):
    """The demo did not work as expected."""


def fail(what):
    raise Failed(what)


def wait(what, condition, patience=PATIENCE):
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            fail(f"not within {patience} s: {what}")
        time.sleep(0.02)


def title(text):
    print(f"\n== {text}", flush=True)


def in_namespace(name, *command, **options):
    # setpriv: children die with the demo if it is killed.
    return subprocess.Popen(["ip", "netns", "exec", name, "setpriv", "--pdeathsig", "KILL", *command],
                            stdin=subprocess.DEVNULL, **options)


def ip(*lines):
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)


def network(hosts):
    """One bridge with these hosts, {name: address}; each is connected to it by its eth0."""
    ip("link set lo up", "link add br0 type bridge mcast_snooping 0 forward_delay 0", "link set br0 up",
       *[f"netns add {n}" for n in hosts])
    for name, address in hosts.items():
        ip(f"link add to{name} type veth peer name eth0 netns {name}", f"link set to{name} master br0 up")
        for command in ["link set lo up", f"addr add {address}/16 dev eth0", "link set eth0 up"]:
            subprocess.run(["ip", "-n", name, *command.split()], check=True)


# ------------------------------------------------------------------------------- the client

def probe(path, vips):
    """Runs in the client: pings every address a hundred times a second, records every reply."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    sock.setblocking(False)
    ident, number = 0x6b61, 1
    request = struct.pack("!BBHHH", 8, 0, 0xffff - (0x0800 + ident + number), ident, number)
    with open(path, "w", buffering=1) as out:
        due = time.monotonic()
        while True:
            for vip in vips:
                try:
                    sock.sendto(request, (vip, 0))
                except OSError:
                    pass                    # no ARP reply: counts as a missing reply
            due += PROBE_EVERY
            while (left := due - time.monotonic()) > 0:
                if not select.select([sock], [], [], left)[0]:
                    break
                try:
                    packet, (sender, _) = sock.recvfrom(2048)
                except OSError:
                    continue
                if sender in vips and packet[20] == 0:
                    out.write(f"{sender} {time.monotonic()}\n")


class Client:
    """Pings the virtual addresses, and measures the outage of each."""

    def __init__(self, folder, vips):
        self.path, self.vips, self.process = os.path.join(folder, "answers"), vips, None

    def start(self):
        self.process = in_namespace("client", sys.executable, os.path.abspath(__file__), self.path, *self.vips)
        wait("the client is ready", lambda: os.path.exists(self.path))

    def answers(self, vip):
        with open(self.path) as f:
            return [float(t) for a, t in map(str.split, f.read().splitlines()[:-1]) if a == vip]

    def missed(self, vip, since):
        """The longest time without a reply since then, in seconds."""
        times = [since] + [t for t in self.answers(vip) if t >= since] + [time.monotonic()]
        return max(b - a for a, b in zip(times, times[1:]))

    def hears(self, vip, within=0.2):
        times = self.answers(vip)
        return bool(times) and time.monotonic() - times[-1] < within

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()


# --------------------------------------------------------------------------------- routers

class Router:
    """A host of the network that runs keepalived."""

    def __init__(self, name, program, folder, config):
        self.name, self.program, self.process = name, program, None
        self.namespace = f"router{name}"
        self.base = os.path.join(folder, name)
        with open(self.base + ".conf", "w") as f:
            f.write(config)

    def start(self):
        with open(self.base + ".log", "w") as log:
            b = self.base
            self.process = in_namespace(
                self.namespace, self.program, "-f", b + ".conf", "-n", "-l", "-G", "-D", "-p", b + ".pid", "--vrrp_pid",
                b + ".vrrp.pid", "--checkers_pid", b + ".check.pid", "--bfd_pid", b + ".bfd.pid", stdout=log, stderr=log)

    def log(self):
        with open(self.base + ".log", errors="replace") as f:
            return f.read()

    def state(self, instance):
        if self.process is None or self.process.poll() is not None:
            return "gone"
        entered = [l for l in self.log().splitlines() if f"({instance}) Entering " in l]
        return entered[-1].split("Entering ")[1].split()[0] if entered else "?"

    def holds(self, vip):
        out = subprocess.run(["ip", "-n", self.namespace, "-j", "addr", "show"],
                             capture_output=True, text=True, check=True).stdout
        return vip in {a["local"] for link in json.loads(out) for a in link.get("addr_info", [])}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            fail(f"router {self.name} did not end after SIGTERM")

    def lose_power(self):
        """Kills the daemon without a chance to clean up, and takes the link down."""
        self.kill()
        ip(f"link set torouter{self.name} down")

    def kill(self):
        if self.process is None or self.process.poll() is not None:
            return
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(children) as f:
            pids = f.read().split()
        self.process.kill()
        for pid in pids:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()

    def boot(self, vips):
        for vip in filter(self.holds, vips):    # addresses that do not survive a real boot
            subprocess.run(["ip", "-n", self.namespace, "addr", "del", vip + "/16", "dev", "eth0"], check=True)
        ip(f"link set torouter{self.name} up")
        self.start()


def table(routers, client, names):
    """Prints states and addresses of all routers, and demands that the addresses answer; `names` is
    {instance: address}."""
    rows = [("", [f"{name} {vip}" for name, vip in names.items()])]
    for router in routers.values():
        dead = router.process.poll() is not None
        held = "left over" if dead else "has the address"
        cells = [f"{router.state(n):8}{held if router.holds(vip) else ''}" for n, vip in names.items()]
        rows.append((f"router {router.name}", cells))
    rows.append(("client", ["answered" if client.hears(vip) else "NOT answered" for vip in names.values()]))
    for head, cells in rows:
        print(f"   {head:10}{''.join(f'{cell:25}' for cell in cells)}".rstrip(), flush=True)
    silent = [vip for vip in names.values() if not client.hears(vip, within=1)]
    if silent:
        fail(f"the client has no answer from {', '.join(silent)}")


# ------------------------------------------------------------------------------------ running

def run(story, program, configs, names, helpers=(), hosts=None):
    """Builds the network, runs `story(routers, client, folder)`, cleans up; the exit status.

    `configs` is {router: (address, text)}; `story` may append processes of its own to `helpers`.
    `hosts` are more hosts, {name: address}.
    """
    folder = tempfile.mkdtemp(prefix="keepalived-demo.")
    os.chmod(folder, 0o755)
    routers = {name: Router(name, program, folder, text) for name, (_, text) in configs.items()}
    client = Client(folder, list(names.values()))
    status, began = 1, time.monotonic()
    try:
        network({"client": CLIENT, **{f"router{name}": address for name, (address, _) in configs.items()}, **(hosts or {})})
        client.start()
        story(routers, client, folder)
        print(f"\n== done in {time.monotonic() - began:.0f} s")
        status = 0
    except Failed as why:
        print(f"\n== FAILED: {why}")
        for router in filter(lambda r: r.process, routers.values()):
            print(f"---- log of router {router.name}\n{router.log()}", end="")
    finally:
        for router in routers.values():
            router.kill()
        for process in helpers:
            process.terminate()
            process.wait()
        client.kill()
        shutil.rmtree(folder, ignore_errors=True)
    return status


def isolate(script, program, needed=()):
    """Starts the script again with its own network, its own /run and, if need be, as root of a user namespace."""
    packages = {"ip": "iproute2", "unshare": "util-linux", "setpriv": "util-linux", "mount": "mount", **dict(needed)}
    missing = sorted({package for tool, package in packages.items() if not shutil.which(tool)})
    if missing:
        sys.exit(f"demo: missing: apt-get install {' '.join(missing)}")
    if not os.access(program, os.X_OK):
        sys.exit(f"demo: no {program}: run make first")
    user = [] if os.geteuid() == 0 else ["-Ur"]
    attempt = subprocess.run(["unshare", *user, "-nm", "true"], stderr=subprocess.PIPE, text=True)
    if attempt.returncode:
        hint = "; try as root" if user else ""
        sys.exit(f"demo: no namespaces here: {attempt.stderr.strip()}{hint}")
    inner = 'mount -t tmpfs -o mode=0755 run /run && exec "$0" "$@"'
    os.execvp("unshare", ["unshare", *user, "-nm", "sh", "-c", inner, sys.executable, os.path.abspath(script), "--inside", program])


def main(script, documentation, inside, needed=()):
    """The command line of every demo; `inside(program)` runs in the private network."""
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    arguments = sys.argv[1:]
    if arguments[:1] == ["--inside"]:
        sys.exit(inside(arguments[1]))
    elif arguments[:1] in (["-h"], ["--help"]):
        print(documentation)
    else:
        here = os.path.dirname(os.path.dirname(os.path.abspath(script)))
        isolate(script, os.path.abspath(arguments[0]) if arguments else os.path.join(here, "target/release/keepalived"), needed)


if __name__ == "__main__":
    probe(sys.argv[1], sys.argv[2:])
