"""Start a command in a sandbox. A program of its own: the standard library only, Linux only.

    python -I -S jail.py CONFIG.json COMMAND...

In full mode the command gets a root folder with nothing in it but Python, the libraries and an
empty home; no network, no other processes, no privileges, limits on what it may use. In reduced
mode it gets the limits alone. It ends when this program ends, with everything it has started.

CONFIG holds ``mode``, ``root`` (an empty folder), ``read_only`` (list of [source, target]),
``writable`` (list of folders), ``uid``, ``home``, ``disk_mb``, ``memory_mb``, ``processes``.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import select
import signal
import socket
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 4096, 16384, 1 << 18
MNT_DETACH, AT_FDCWD, AT_RECURSIVE = 2, -100, 0x8000
SYS_MOUNT_SETATTR, ATTR_RDONLY, ATTR_NOSUID = 442, 1, 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
DEVICES = ("null", "zero", "full", "random", "urandom")
CLONE_NEWUSER, ENOSYS = 0x10000000, 38
# What a notebook has no use for: memory that is counted nowhere, other processes' memory, file
# systems and users of one's own, and doors to the kernel. Numbers by machine: x86_64, aarch64.
FORBIDDEN = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438), "memfd_create": (319, 279), "memfd_secret": (447, 447),
    "shmget": (29, 194), "mq_open": (240, 180), "unshare": (272, 97), "setns": (308, 268),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "mount_setattr": (442, 442), "open_by_handle_at": (304, 265), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
}  # fmt: skip
CLONE, CLONE3 = (56, 220), 435
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


def check(result, what):
    """Raise what a call of the C library reports."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source, target, kind, flags, data=""):
    """Put a file system at a place."""
    args = [None if part is None else os.fsencode(part) for part in (source, target, kind)]
    check(LIBC.mount(*args, flags, data.encode() or None), f"mount {target}")


def read_only(target):
    """Make a mount and all below it read-only."""
    attributes = struct.pack("QQQQ", ATTR_RDONLY | ATTR_NOSUID, 0, 0, 0)
    result = LIBC.syscall(
        SYS_MOUNT_SETATTR, AT_FDCWD, os.fsencode(target), AT_RECURSIVE, attributes, 32
    )
    check(result, f"read-only {target}")


def bind(source, target, writable=False):
    """Show a file or folder at another place."""
    if os.path.islink(source) and source == target[-len(source) :]:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.symlink(os.readlink(source), target)
        return
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "a"):
            pass
    mount(source, target, None, MS_BIND | MS_REC)
    if not writable:
        read_only(target)


def terminals(root):
    """Allow pseudo-terminals, which a notebook's ``!command`` wants; do without if that fails."""
    os.makedirs(root + "/dev/pts", exist_ok=True)
    with contextlib.suppress(OSError):
        mount(
            "devpts", root + "/dev/pts", "devpts", MS_NOSUID, "newinstance,ptmxmode=0666,mode=620"
        )
        os.symlink("pts/ptmx", root + "/dev/ptmx")


def make_root(config):
    """Build the new root folder and move into it."""
    root = config["root"]
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", root, "tmpfs", MS_NOSUID, "mode=755,size=8m")
    size = f"mode=1777,size={config['disk_mb']}m,nr_inodes=20k"
    for folder in ("/tmp", config["home"], "/dev/shm"):  # first: Python itself may lie below /tmp
        os.makedirs(root + folder, exist_ok=True)
        mount("tmpfs", root + folder, "tmpfs", MS_NOSUID | MS_NODEV, size)
    for source, target in config["read_only"]:
        if os.path.lexists(source):
            bind(source, root + target)
    for name in DEVICES:
        bind("/dev/" + name, root + "/dev/" + name, writable=True)
    for link, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1")):
        os.symlink(target, root + "/dev/" + link)
    terminals(root)
    for folder in config["writable"]:
        bind(folder, root + folder, writable=True)
    os.makedirs(root + "/proc", exist_ok=True)
    mount("proc", root + "/proc", "proc", MS_NOSUID | MS_NODEV)
    os.makedirs(root + "/.old")
    os.chdir(root)
    check(LIBC.pivot_root(b".", b".old"), "pivot_root")
    os.chdir("/")
    check(LIBC.umount2(b"/.old", MNT_DETACH), "leave the old root")
    os.rmdir("/.old")
    mount(None, "/", None, 32 | MS_RDONLY | MS_NOSUID | MS_BIND)
    os.chdir(config["home"])


def give_fonts(config):
    """Copy matplotlib's list of fonts to where it looks, so that a first plot takes no time."""
    source, target = config["fonts"], config["home"] + "/.matplotlib"
    with contextlib.suppress(OSError):
        os.makedirs(target)
        os.chmod(target, 0o777)
        for name in os.listdir(source):
            with open(source + "/" + name, "rb") as one, open(target + "/" + name, "wb") as other:
                other.write(one.read())


def loopback_up():
    """Switch on the loopback device of this network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(sock, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))


def limit(config):
    """Set the limits that hold for every process by itself."""
    megabyte = 2**20
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: config["disk_mb"] * megabyte,
        resource.RLIMIT_DATA: config["memory_mb"] * megabyte,
        resource.RLIMIT_NOFILE: 4096,
    }
    if config["mode"] == "full":  # elsewhere the user's other processes would count, too
        limits[resource.RLIMIT_NPROC] = config["processes"]
    for kind, value in limits.items():
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def drop_privileges(config, was_root):
    """Give up every privilege for good."""
    for number in range(64):
        LIBC.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
    if was_root:
        os.setgroups([])
        os.setresgid(config["uid"], config["uid"], config["uid"])
        os.setresuid(config["uid"], config["uid"], config["uid"])
    header, nothing = struct.pack("Ii", 0x20080522, 0), bytes(24)
    check(LIBC.capset(header, nothing), "capset")
    check(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def seccomp_filter(machine):
    """Return the program that refuses what is FORBIDDEN on a machine, in the kernel's own code."""
    column, kind = MACHINES[machine]
    load, if_equal, if_at_least, if_set, give = 0x20, 0x15, 0x35, 0x45, 0x06
    refuse, unknown, allow = 0x50000 | 1, 0x50000 | ENOSYS, 0x7FFF0000
    code = [(load, 0, 0, 4), (if_equal, 1, 0, kind), (give, 0, 0, refuse), (load, 0, 0, 0)]
    code += [(if_at_least, 0, 1, 0x40000000), (give, 0, 0, refuse)]  # x86_64's second numbering
    for numbers in FORBIDDEN.values():
        code += [(if_equal, 0, 1, numbers[column]), (give, 0, 0, refuse)]
    code += [(if_equal, 0, 1, CLONE3), (give, 0, 0, unknown)]  # its flags cannot be looked at
    code += [(if_equal, 0, 3, CLONE[column]), (load, 0, 0, 16), (if_set, 0, 1, CLONE_NEWUSER)]
    code += [(give, 0, 0, refuse), (give, 0, 0, allow)]
    return b"".join(struct.pack("HBBI", *line) for line in code)


def forbid():
    """Refuse, from now on and for all that is started, what is FORBIDDEN."""
    machine = os.uname().machine
    if machine not in MACHINES:
        return
    program = seccomp_filter(machine)
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    check(LIBC.prctl(PR_SET_SECCOMP, 2, ctypes.c_char_p(head), 0, 0), "seccomp")


def new_namespaces(was_root):
    """Move into namespaces of our own."""
    flags = os.CLONE_NEWNS | os.CLONE_NEWPID | os.CLONE_NEWNET | os.CLONE_NEWIPC | os.CLONE_NEWUTS
    uid, gid = os.getuid(), os.getgid()
    os.unshare(flags if was_root else flags | os.CLONE_NEWUSER)
    if not was_root:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} {uid} 1"),
            ("gid_map", f"{gid} {gid} 1"),
        ):
            with open("/proc/self/" + name, "w") as file:
                file.write(text)


def run(command):
    """Start the command, wait for it, and return its exit status. Collects strays meanwhile."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # without a namespace it lived on
        # With a parent of number 1 the kernel would take its parent for dead.
        os.environ.pop("JPY_PARENT_PID", None)
        os.execvp(command[0], command)
    LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # its memory and files are not the learner's
    while True:
        with contextlib.suppress(InterruptedError):
            pid, status = os.waitpid(-1, 0)
            if pid == child:
                return os.waitstatus_to_exitcode(status)


def inside(config, command, was_root, lifeline):
    """What the first process of the sandbox does."""
    for folder in config["writable"] if was_root else []:
        for path in [folder, *(os.path.join(folder, name) for name in os.listdir(folder))]:
            os.chown(path, config["uid"], config["uid"])
    make_root(config)
    give_fonts(config)
    loopback_up()
    drop_privileges(config, was_root)
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # another user's process forgets it
    if select.select([lifeline], [], [], 0)[0]:  # it had ended before
        return 0
    os.close(lifeline)
    limit(config)
    forbid()
    return run(command)


def main():
    """Run the command and return its exit status, 97 if the sandbox cannot be made."""
    with open(sys.argv[1]) as file:
        config = json.load(file)
    command, errors = sys.argv[2:], os.dup(2)
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not config.get("verbose"):
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
    os.set_inheritable(errors, False)
    try:
        if config["mode"] != "full":
            LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            os.chdir(config["home"])
            give_fonts(config)
            limit(config)
            return run(command)
        was_root = os.getuid() == 0
        new_namespaces(was_root)
        lifeline, held = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(held)
            os._exit(guarded(lambda: inside(config, command, was_root, lifeline), errors))
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except OSError as error:
        os.write(errors, f"{error}\n".encode())
        return 97


def guarded(function, errors):
    """Return what a function returns, or 97 where it fails."""
    try:
        return function() & 0xFF
    except BaseException as error:
        os.write(errors, f"{type(error).__name__}: {error}\n".encode())
        return 97


if __name__ == "__main__":
    sys.exit(main() & 0xFF)
