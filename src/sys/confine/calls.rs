//! System calls of a daemon that executes nothing.
//!
//! A call that is not here fails as if the kernel did not have it (ENOSYS), and is logged by a
//! kernel with audit. It does not end the daemon: a C library that prefers a newer call falls back on an older
//! one, and a router that lacks a call serves its addresses all the same.

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    sock_filter, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

/// A filter of system calls, compiled.
#[derive(Clone, Debug)]
pub struct Filter {
    program: BpfProgram,
    calls: usize,
}

impl Filter {
    pub(super) fn program(&self) -> &[sock_filter] {
        &self.program
    }

    /// How many system calls it lets through.
    pub const fn calls(&self) -> usize {
        self.calls
    }
}

/// Those without conditions. Neither processes nor programs, no other user, no mounts, no modules, no
/// debugging.
const CALLS: &[libc::c_long] = &[
    // Descriptors.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_fcntl,
    libc::SYS_ioctl,
    libc::SYS_pipe2,
    libc::SYS_eventfd2,
    libc::SYS_memfd_create,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_ppoll,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_add_watch,
    libc::SYS_inotify_rm_watch,
    // Files.
    libc::SYS_openat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_fstat,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_chdir,
    libc::SYS_umask,
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    // Sockets.
    libc::SYS_socketpair,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_listen,
    libc::SYS_accept4,
    libc::SYS_shutdown,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    libc::SYS_sendmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvmmsg,
    // Memory.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_msync,
    libc::SYS_mlock,
    libc::SYS_mlockall,
    libc::SYS_munlockall,
    libc::SYS_mlock2,
    // Time.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_nanosleep,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
    libc::SYS_timerfd_gettime,
    libc::SYS_restart_syscall,
    // Signals, and children of the program before this one.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_sigaltstack,
    libc::SYS_signalfd4,
    libc::SYS_kill,
    libc::SYS_tgkill,
    libc::SYS_tkill,
    libc::SYS_wait4,
    libc::SYS_waitid,
    // The process: scheduling, limits, identity.
    libc::SYS_getpriority,
    libc::SYS_setpriority,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_getparam,
    libc::SYS_sched_setparam,
    libc::SYS_prlimit64,
    libc::SYS_getrusage,
    libc::SYS_prctl,
    libc::SYS_capget,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getgroups,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getrandom,
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_setns,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Older names of the same, which newer platforms do not have and C libraries still use.
#[cfg(target_arch = "x86_64")]
const OLDER_CALLS: &[libc::c_long] = &[
    libc::SYS_open,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_mknod,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_poll,
    libc::SYS_epoll_wait,
    libc::SYS_dup2,
    libc::SYS_pipe,
    libc::SYS_getrlimit,
    libc::SYS_setrlimit,
    libc::SYS_time,
];
#[cfg(target_arch = "aarch64")]
const OLDER_CALLS: &[libc::c_long] =
    &[libc::SYS_renameat, libc::SYS_getrlimit, libc::SYS_setrlimit];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const OLDER_CALLS: &[libc::c_long] = &[];

/// Families of sockets that the daemon opens.
const FAMILIES: [libc::c_int; 5] =
    [libc::AF_UNIX, libc::AF_NETLINK, libc::AF_INET, libc::AF_INET6, libc::AF_PACKET];

/// The filter for this platform.
///
/// # Errors
/// There is none for it.
pub fn filter() -> io::Result<Filter> {
    let refused = |e: seccompiler::BackendError| io::Error::new(io::ErrorKind::Unsupported, e);
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(refused)?;
    let rules = rules().map_err(refused)?;
    let calls = rules.len();
    let unknown = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let filter = SeccompFilter::new(rules, unknown, SeccompAction::Allow, arch).map_err(refused)?;
    Ok(Filter { program: filter.try_into().map_err(refused)?, calls })
}

fn rules() -> Result<BTreeMap<i64, Vec<SeccompRule>>, seccompiler::BackendError> {
    use SeccompCmpArgLen::Dword;
    // Memory is never executable: what was loaded at the start remains the only code.
    let plain_memory = || {
        let mask = u64::from(libc::PROT_EXEC.unsigned_abs());
        let none = SeccompCondition::new(2, Dword, SeccompCmpOp::MaskedEq(mask), 0)?;
        Ok(vec![SeccompRule::new(vec![none])?])
    };
    let families = FAMILIES.into_iter().map(|family| {
        let family = u64::from(family.unsigned_abs());
        SeccompRule::new(vec![SeccompCondition::new(0, Dword, SeccompCmpOp::Eq, family)?])
    });
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        CALLS.iter().chain(OLDER_CALLS).map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_mmap, plain_memory()?);
    rules.insert(libc::SYS_mprotect, plain_memory()?);
    rules.insert(libc::SYS_socket, families.collect::<Result<_, _>>()?);
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// seccomp_data: number, architecture, address of the instruction, six arguments.
    fn verdict(filter: &Filter, call: libc::c_long, arguments: [u64; 3]) -> u32 {
        let arch: u32 = match std::env::consts::ARCH {
            "x86_64" => 0xc000_003e,
            _ => 0xc000_00b7,
        };
        let number = u32::try_from(call).expect("a number");
        let mut data = [number.to_ne_bytes(), arch.to_ne_bytes()].concat();
        data.extend([0; 8]);
        arguments.into_iter().for_each(|argument| data.extend(argument.to_ne_bytes()));
        data.resize(64, 0);
        interpret(filter.program(), &data)
    }

    /// The instructions of classic BPF that such programs have.
    fn interpret(program: &[sock_filter], data: &[u8]) -> u32 {
        let (mut accumulator, mut at) = (0u32, 0usize);
        loop {
            let i = &program[at];
            let jump = |is: bool| usize::from(if is { i.jt } else { i.jf });
            at += 1;
            match i.code {
                0x20 => {
                    let from = i.k as usize;
                    let word = data[from..from + 4].try_into().expect("four bytes");
                    accumulator = u32::from_ne_bytes(word);
                }
                0x54 => accumulator &= i.k,
                0x05 => at += i.k as usize,
                0x15 => at += jump(accumulator == i.k),
                0x25 => at += jump(accumulator > i.k),
                0x35 => at += jump(accumulator >= i.k),
                0x06 => return i.k,
                other => panic!("instruction {other:#x}"),
            }
        }
    }

    const LET: u32 = libc::SECCOMP_RET_ALLOW;
    const MISSING: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

    #[test]
    fn nothing_is_executed_and_no_process_is_made() {
        let filter = filter().expect("this platform has one");
        for call in [libc::SYS_read, libc::SYS_sendmmsg, libc::SYS_timerfd_settime] {
            assert_eq!(verdict(&filter, call, [0; 3]), LET, "{call}");
        }
        for call in [
            libc::SYS_execve,
            libc::SYS_execveat,
            libc::SYS_clone,
            libc::SYS_clone3,
            libc::SYS_ptrace,
            libc::SYS_mount,
            libc::SYS_unshare,
            libc::SYS_setresuid,
            libc::SYS_capset,
            libc::SYS_init_module,
            libc::SYS_bpf,
            libc::SYS_process_vm_writev,
        ] {
            assert_eq!(verdict(&filter, call, [0; 3]), MISSING, "{call}");
        }
    }

    #[test]
    fn memory_is_not_made_executable() {
        let filter = filter().expect("this platform has one");
        for call in [libc::SYS_mmap, libc::SYS_mprotect] {
            assert_eq!(verdict(&filter, call, [0, 4096, 3]), LET);
            assert_eq!(verdict(&filter, call, [0, 4096, 5]), MISSING);
        }
    }

    #[test]
    fn sockets_are_of_the_families_in_use() {
        let filter = filter().expect("this platform has one");
        let family = |number: i32| {
            verdict(&filter, libc::SYS_socket, [u64::from(number.unsigned_abs()), 0, 0])
        };
        assert!(FAMILIES.into_iter().all(|number| family(number) == LET));
        for other in [libc::AF_VSOCK, libc::AF_ALG, libc::AF_BLUETOOTH] {
            assert_eq!(family(other), MISSING, "{other}");
        }
    }
}
