#include "lib/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"

/* What every process of ours does: no program is started, no socket opened, no signal sent to others, no
 * identity changed. */
static const char common[] =
    /* descriptors */
    "read write readv writev close dup fcntl lseek poll ppoll pipe2 eventfd2 signalfd4 "
    "epoll_create1 epoll_create epoll_ctl epoll_wait epoll_pwait epoll_pwait2 "
    /* its own files: segments of the event log */
    "open openat fstat newfstatat statx getdents64 flock fallocate ftruncate fdatasync fsync "
    /* memory and time */
    "mmap munmap mprotect mremap madvise brk clock_gettime clock_getres clock_nanosleep nanosleep "
    "gettimeofday time getrandom "
    /* threads, signals, the end */
    "futex rseq set_robust_list sched_yield sched_getaffinity gettid getpid getppid getuid geteuid "
    "getgid getegid "
    "rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall tgkill exit exit_group";

#if defined(OUTPOST_DEBUG) || defined(__SANITIZE_ADDRESS__)
#define CONFINED false
#else
#define CONFINED true
#endif

/* --- system calls --------------------------------------------------------------------------------- */

static int
allow(scmp_filter_ctx filter, const char *calls)
{
	char name[32];
	size_t len;

	for (const char *p = calls; *p != '\0'; p += len) {
		int number, rc;

		p += strspn(p, " ");
		len = strcspn(p, " ");
		if (len == 0 || len >= sizeof(name))
			break;
		memcpy(name, p, len);
		name[len] = '\0';
		number = seccomp_syscall_resolve_name(name);
		if (number == __NR_SCMP_ERROR)
			continue; /* younger than the library, so nothing here calls it */
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
		if (rc != 0 && rc != -EEXIST) {
			log_warn("sandbox: %s: %s", name, strerror(-rc));
			return -1;
		}
	}
	return 0;
}

static int
told(const char *what, int rc)
{
	if (rc != 0)
		log_warn("sandbox: %s: %s", what, strerror(-rc));
	return rc == 0 ? 0 : -1;
}

/* Threads, but no processes.  clone3 keeps its flags where a filter cannot see them; without it the C
 * library takes clone. */
static int
allow_threads(scmp_filter_ctx filter)
{
	int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
	    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));

	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return told("clone", rc);
}

/* abort() is a signal to oneself. */
static int
allow_abort(scmp_filter_ctx filter)
{
	return told("tgkill", seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0)));
}

static int
allow_all(scmp_filter_ctx filter, const struct sandbox *s)
{
	if (allow(filter, s->calls) < 0)
		return -1;
	if (s->alone)
		return allow_abort(filter);
	if (allow(filter, common) < 0)
		return -1;
	return s->forks ? allow(filter, "clone fork wait4 kill") : allow_threads(filter);
}

static int
keep_calls(const struct sandbox *s)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = -1;

	if (filter == NULL) {
		log_warn("sandbox: %s: out of memory", s->process);
		return -1;
	}
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list */
	if (allow_all(filter, s) == 0) {
		rc = seccomp_load(filter);
		if (rc != 0)
			log_warn("sandbox: %s: seccomp: %s: set sandbox 0 in outpost.conf if this "
				 "kernel has none",
			    s->process, strerror(-rc));
	}
	seccomp_release(filter);
	return rc == 0 ? 0 : -1;
}

/* --- files ------------------------------------------------------------------------------------------ */

#define ACCESS_ABI_1 ((UINT64_C(1) << 13) - 1)
#define ACCESS_REFER (UINT64_C(1) << 13) /* from version 2 */
#define ACCESS_TRUNC (UINT64_C(1) << 14) /* 3 */
#define ACCESS_IOCTL (UINT64_C(1) << 15) /* 5 */

static long
landlock_version(void)
{
	return syscall(
	    SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
}

static int
keep_files(const struct sandbox *s)
{
	long version = landlock_version();
	struct landlock_ruleset_attr rules = {
		.handled_access_fs = ACCESS_ABI_1 | (version >= 2 ? ACCESS_REFER : 0) |
				     (version >= 3 ? ACCESS_TRUNC : 0) |
				     (version >= 5 ? ACCESS_IOCTL : 0)
	};
	struct landlock_path_beneath_attr folder = { .parent_fd = -1,
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
				  LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
				  (version >= 3 ? ACCESS_TRUNC : 0) };
	int set, rc = -1;

	if (version <= 0)
		return 0; /* the modes of the files and the uid must do */
	set = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules.handled_access_fs), 0);
	if (set < 0)
		goto out;
	if (s->folder != NULL) {
		folder.parent_fd = open(s->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (folder.parent_fd < 0 ||
		    syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &folder, 0) < 0)
			goto out;
	}
	rc = (int)syscall(SYS_landlock_restrict_self, set, 0);
out:
	if (rc < 0)
		log_warn("sandbox: %s: %s: %s", s->process,
		    s->folder != NULL ? s->folder : "landlock", strerror(errno));
	if (folder.parent_fd >= 0)
		close(folder.parent_fd);
	if (set >= 0)
		close(set);
	return rc;
}

int
sandbox_enter(const struct sandbox *s)
{
	if (!CONFINED)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		log_warn("sandbox: %s: %s", s->process, strerror(errno));
		return -1;
	}
	return s->alone || keep_files(s) == 0 ? keep_calls(s) : -1;
}
