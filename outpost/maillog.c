/* outpost maillog: what the host's mail server says of the messages that this site wrote becomes observations.
 *
 * The log is full of strangers' words.  So it is opened here, as root if need be, and read by a child that is the site's
 * user and confined; what the child wants to remember comes back through a file in memory.  Events are on disk before the
 * position is: after a crash between the two the newest event says which lines are not new. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/eventlog.h"
#include "lib/journal.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/worker.h"
#include "outpost/command.h"
#include "outpost/deliveries.h"
#include "outpost/follow.h"
#include "provisioning/enrol.h"
#include "provisioning/invite.h"
#include "provisioning/lock.h"

#define DAEMON     "maillog"
#define STATE_FILE "maillog.jsonl"
#define TAIL       (256u << 10) /* of the newest segment: many lines */

struct reader {
	const struct site *site;
	struct deliveries *deliveries;
	struct eventlog *log; /* begun with the first event */
	struct follow_part part[2];
	int n;
	struct follow *at; /* of the part that is read */
	uint64_t known_gen,
	    known_at; /* up to here events were written, whatever the position says */
	int state;    /* the file as it was */
};

/* --- what was read before ------------------------------------------------------------------------------------- */

/* The first line of the file: numbers of ours. */
static void
load_position(struct follow *dst, int fd)
{
	char head[200] = "";
	unsigned long long g, i, o;

	memset(dst, 0, sizeof(*dst));
	if (fd >= 0 && pread(fd, head, sizeof(head) - 1, 0) > 0 &&
	    sscanf(head, "{\"generation\":%llu,\"inode\":%llu,\"offset\":%llu}", &g, &i, &o) == 3)
		*dst = (struct follow){ g, i, o };
}

static int
load_line(void *ctx, const char *line, size_t len)
{
	struct reader *r = ctx;

	if (r->at == NULL) {
		r->at = &r->part[0].at; /* the first is the position */
		return 0;
	}
	if (!deliveries_load(r->deliveries, line, len))
		log_warn("%s: a line skipped: what it tells of a message in the queue is lost",
		    STATE_FILE);
	return 0;
}

static void
load_state(struct reader *r)
{
	struct follow_part whole = { .fd = r->state };

	r->at = NULL;
	if (r->state >= 0)
		follow_read(&whole, load_line, r);
}

static int
is_segment(const char *name, const char *node)
{
	size_t n = strlen(node);

	return strncmp(name, node, n) == 0 && strncmp(name + n, "-" DAEMON "-", 9) == 0;
}

/* What the newest event of ours says: "line":"GENERATION:OFFSET". */
static void
find_known(struct reader *r)
{
	char dir[512], path[1024], newest[300] = "", *text = xmalloc(TAIL + 1), *p, *end;
	struct dirent *e;
	struct stat st;
	unsigned long long g, o;
	DIR *d;
	int fd = -1;
	ssize_t n = 0;

	site_path(dir, r->site, "", "log");
	if ((d = opendir(dir)) != NULL) {
		while ((e = readdir(d)) != NULL)
			if (is_segment(e->d_name, r->site->conf.node) &&
			    strcmp(e->d_name, newest) > 0 && strlen(e->d_name) < sizeof(newest))
				strcpy(newest, e->d_name);
		closedir(d);
	}
	snprintf(path, sizeof(path), "%s/%s", dir, newest);
	if (newest[0] != '\0' && (fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0 &&
	    fstat(fd, &st) == 0)
		n = pread(fd, text, TAIL, st.st_size > TAIL ? st.st_size - TAIL : 0);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	if ((end = memrchr(text, '\n', strlen(text))) != NULL)
		*end = '\0'; /* a torn line is none */
	for (p = text; end != NULL && (p = strstr(p, "\"line\":\"")) != NULL; p++)
		if (sscanf(p, "\"line\":\"%llu:%llu\"", &g, &o) == 2) {
			r->known_gen = g;
			r->known_at = o;
		}
	free(text);
}

/* --- lines ---------------------------------------------------------------------------------------------------- */

static bool
is_ours(void *ctx, const char *msgid, char token[TOKEN_LEN + 1])
{
	return invite_msgid_read(ctx, msgid, token);
}

/* Who was taken out with outpost forget stays out. */
static bool
is_enrolled(const struct site *site, const char *token)
{
	struct enrolment e;

	return enrol_find(&e, site, token) == 1;
}

static int
observe(struct reader *r, const struct delivery *y)
{
	static struct event_line line;
	const struct mail_line *l = y->line;
	struct eventlog_config config = { .node = r->site->conf.node,
		.daemon = DAEMON,
		.segment_max = r->site->conf.segment_max,
		.reserve = r->site->conf.segment_reserve };
	char dir[512], where[64];

	site_path(dir, r->site, "", "log");
	config.dir = dir;
	if (r->log == NULL && (r->log = eventlog_open(&config)) == NULL)
		return -1;
	snprintf(where, sizeof(where), "%llu:%llu", (unsigned long long)r->at->generation,
	    (unsigned long long)r->at->offset);
	event_begin(&line, EV_OUT_DELIVERY, eventlog_origin(r->log), clock_now());
	event_str(&line, EK_TOKEN, y->token);
	event_str(&line, EK_TEST, INVITE_DOMAIN);
	event_str(&line, EK_WHAT, l->what);
	event_str(&line, EK_FROM, y->from);
	event_str(&line, EK_TO, l->to);
	event_str(&line, EK_MSGID, y->msgid);
	if (l->host[0] != '\0') {
		event_str(&line, EK_MX, l->host);
		event_str(&line, EK_PEER, l->address);
	}
	if (l->port != 0)
		event_num(&line, EK_PORT, l->port);
	if (l->reply != 0)
		event_num(&line, EK_REPLY, l->reply);
	event_str(&line, EK_DSN, l->dsn);
	event_str(&line, EK_ECODE, l->text);
	if (l->version[0] != '\0')
		event_str(&line, EK_VERSION, l->version);
	if (l->cipher[0] != '\0')
		event_str(&line, EK_CIPHER, l->cipher);
	if (l->verified[0] != '\0')
		event_str(&line, EK_VERIFIED, l->verified);
	event_str(&line, EK_LINE, where);
	event_end(&line);
	return eventlog_append(r->log, line.buf, line.len) != 0 ? 0 : -1;
}

static int
on_line(void *ctx, const char *text, size_t len)
{
	struct reader *r = ctx;
	struct delivery y;

	if (!deliveries_line(&y, r->deliveries, text, len, clock_now()))
		return 0;
	if (r->at->generation == r->known_gen && r->at->offset <= r->known_at)
		return 0; /* the event was written, and then we died */
	return is_enrolled(r->site, y.token) ? observe(r, &y) : 0;
}

/* --- the child ------------------------------------------------------------------------------------------------ */

/* Becomes the site's user, who must be able to see who is enrolled, as the web site must. */
static int
become_user(const struct site *site)
{
	char path[512];
	uid_t uid = 0;
	gid_t gid = 0;

	if (geteuid() != 0 || site->conf.user[0] == '\0')
		return 0;
	if (worker_user(site->conf.user, &uid, &gid) != 0)
		return -1;
	site_path(path, site, "state", "enrol.jsonl");
	if (lchown(path, uid, gid) != 0 && errno != ENOENT)
		return -1;
	return setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
		       setresuid(uid, uid, uid) == 0
		   ? 0
		   : -1;
}

static int
give_up_rights(const struct site *site)
{
	const struct sandbox box = {
		.process = "mail log", .calls = "pread64", .folder = site->dir
	};

	if (become_user(site) != 0) {
		log_warn("maillog: user %s: %s", site->conf.user, strerror(errno));
		return -1;
	}
	return site->conf.sandbox ? sandbox_enter(&box) : 0;
}

static int
remember(const struct reader *r, int fd)
{
	const struct follow *at = &r->part[r->n - 1].at;
	struct strbuf b = { 0 };
	size_t done = 0;
	ssize_t n = 1;

	strbuf_printf(&b, "{\"generation\":%llu,\"inode\":%llu,\"offset\":%llu}\n",
	    (unsigned long long)at->generation, (unsigned long long)at->inode,
	    (unsigned long long)at->offset);
	deliveries_save(&b, r->deliveries);
	while (done < b.len && (n = write(fd, b.s + done, b.len - done)) > 0)
		done += (size_t)n;
	strbuf_clear(&b);
	return n > 0 ? 0 : -1;
}

static int
read_log(struct reader *r, int out)
{
	int rc = 0;

	if (give_up_rights(r->site) != 0)
		return EXIT_CANNOT;
	r->deliveries = deliveries_new(is_ours, (void *)(uintptr_t)r->site);
	load_state(r);
	find_known(r);
	for (int i = 0; i < r->n && rc == 0; i++) {
		r->at = &r->part[i].at;
		rc = follow_read(&r->part[i], on_line, r);
	}
	if (r->log != NULL && eventlog_failed(r->log))
		rc = -1;
	eventlog_close(r->log);
	if (rc == 0)
		rc = remember(r, out);
	deliveries_free(r->deliveries);
	return rc == 0 ? EXIT_DONE : EXIT_CANNOT;
}

/* --- the parent ----------------------------------------------------------------------------------------------- */

/* Beside it, synced, then renamed. */
static int
keep(const char *path, int from)
{
	char beside[600], block[4096];
	off_t at = 0;
	ssize_t n;
	int fd, rc = -1;

	snprintf(beside, sizeof(beside), "%s.new", path);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	while (fd >= 0 && (n = pread(from, block, sizeof(block), at)) > 0) {
		if (write(fd, block, (size_t)n) != n)
			goto out;
		at += n;
	}
	if (fd >= 0 && fsync(fd) == 0 && rename(beside, path) == 0)
		rc = 0;
out:
	if (rc != 0)
		log_warn("%s: %s: the log is read again from where it was", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Nothing was read yet, and there is no file: when there is one, all of it is new. */
static int
begin(const char *path)
{
	int fd = memfd_create("state", MFD_CLOEXEC), rc = -1;

	if (fd >= 0 && dprintf(fd, "{\"generation\":%lld,\"inode\":0,\"offset\":0}\n",
			   (long long)(clock_now() / CLOCK_SECOND)) > 0)
		rc = keep(path, fd);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Is there more than was read? */
static bool
has_news(const struct reader *r, const struct follow *last)
{
	struct stat st;

	return r->n != 1 || fstat(r->part[0].fd, &st) != 0 ||
	       r->part[0].at.generation != last->generation || (uint64_t)st.st_size != last->offset;
}

static int
read_apart(struct reader *r, const char *path)
{
	int out = memfd_create("state", MFD_CLOEXEC), status = 0;
	pid_t pid = out >= 0 ? fork() : -1;

	if (pid < 0) {
		log_warn("maillog: %s", strerror(errno));
		return -1;
	}
	if (pid == 0)
		_exit(read_log(r, out));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_DONE) {
		if (WIFSIGNALED(status))
			log_warn("maillog: the reader of %s was killed by signal %d (%s)",
			    r->site->conf.mail_log, WTERMSIG(status), strsignal(WTERMSIG(status)));
		close(out);
		return -1;
	}
	status = keep(path, out);
	close(out);
	return status;
}

int
command_maillog(const struct command *c, int argc, char **argv)
{
	static struct reader r;
	struct follow last;
	struct site *site;
	char path[512];
	bool lost;
	int rc = 0, lock;

	command_options(c, NULL, 0, argc, argv, 0, 0);
	site = command_site(SITE_SECRET);
	command_must_own(site);
	if (site->conf.mail_log[0] == '\0')
		log_fatal(EXIT_USAGE, "maillog: no mail-log in outpost.conf: set it, such as "
				      "/var/log/mail.log");
	if ((lock = lock_site(site, DAEMON)) < 0)
		log_fatal(EXIT_CANNOT, "maillog: the log is not read");
	site_path(path, site, "state", STATE_FILE);
	r.site = site;
	r.state = open(path, O_RDONLY | O_CLOEXEC);
	load_position(&last, r.state);
	r.n = follow_open(r.part, &lost, site->conf.mail_log, &last);
	if (lost)
		log_warn("%s: the file that was read before is gone: what it told since is lost",
		    site->conf.mail_log);
	if (r.n == 0 && last.generation == 0)
		rc = begin(path);
	/* Numbers that no earlier position had, if that was lost. */
	if (r.n > 0 && last.generation == 0)
		r.part[0].at.generation = (uint64_t)(clock_now() / CLOCK_SECOND);
	if (r.n > 0 && has_news(&r, &last))
		rc = read_apart(&r, path);
	for (int i = 0; i < r.n; i++)
		close(r.part[i].fd);
	if (r.state >= 0)
		close(r.state);
	close(lock);
	site_free(site);
	return r.n >= 0 && rc == 0 ? EXIT_DONE : EXIT_CANNOT;
}
