/* session.h - one SMTP session (RFC 5321, STARTTLS as RFC 3207) as a state machine that is fed with
 * octets and time, and that answers through five functions: no socket, file or clock in here.
 *
 * What the client does is recorded, not corrected: framing, early talk, pipelining and injected
 * plaintext are events.  What we do is the ordinary thing, unless the host of the test says
 * otherwise (behave.h).  Every reply leaves through session_reply, which emits the event. */
#ifndef SMTPD_SESSION_H
#define SMTPD_SESSION_H

#include <openssl/evp.h>

#include "lib/event.h"
#include "lib/quota.h"
#include "lib/strbuf.h"
#include "provisioning/released.h"
#include "smtpd/bdat.h"
#include "smtpd/behave.h"
#include "smtpd/bind.h"
#include "smtpd/data.h"
#include "smtpd/handover.h"
#include "smtpd/observe.h"
#include "smtpd/path.h"
#include "smtpd/tls.h"

/* How a session ended: "quit", "eof"... in smtp.close. */
enum session_how { HOW_NONE, HOW_QUIT, HOW_EOF, HOW_RESET, HOW_TIMEOUT, HOW_OURS, HOW_ERROR };
const char *session_how_name(enum session_how);

struct session_ops {
	void (*reply)(void *ctx, const char *bytes, size_t len);
	/* Nothing that is given to reply from now on may leave before all events so far are on
	 * disk; then session_committed is called. */
	void (*commit)(void *ctx);
	/* When all replies have left: be a TLS server.  bytes arrived already. */
	void (*start_tls)(void *ctx, const char *bytes, size_t len);
	/* When all replies have left: close, or reset the connection; then session_end. */
	void (*close)(void *ctx, bool reset);
	struct event_origin *(*origin)(void *ctx);
	void (*event)(void *ctx, const char *line, size_t len);
	/* The message for the verifier (handover.h), if env->judged: its content as it comes; it was
	 * accepted: NULL, or why it cannot be handed over; it is over, however it ended. */
	void (*body)(void *ctx, const char *bytes, size_t len);
	const char *(*hand_over)(void *ctx, struct verify_facts *);
	void (*body_end)(void *ctx);
};

/* What the sessions of a worker share; constant. */
struct session_env {
	const struct site *site;
	const struct session_ops *ops;
	struct event_line *line; /* scratch for encoding */
	const EVP_MD *sha256;
	struct phase_memory memory;
	const struct released *released; /* NULL: nobody is */
	struct quota *operator_mail;     /* messages to who runs the site, an hour */
	bool judged;                     /* accepted messages go to the verifier */
};

enum session_state { ST_START, ST_COMMAND, ST_DATA, ST_TLS, ST_CLOSING };
enum session_wait { WAIT_NONE, WAIT_DELAY, WAIT_COMMIT, WAIT_FOREVER };
/* What goes on after a delay. */
enum session_step { STEP_CONNECT, STEP_BANNER, STEP_COMMAND, STEP_DOT, STEP_HANDSHAKE };

struct command;

struct session {
	const struct session_env *env;
	void *ctx;
	char conn[32];
	union sockaddr_any peer, local;

	enum session_state state;
	enum session_wait wait;
	enum session_step step;
	enum session_how how;
	enum stage stage; /* furthest */
	int64_t start_us, active_us, wait_us, now_us;
	struct binding bind;
	unsigned phase;

	bool tls, greeted, pipelining, refused, too_many, was_tls, tls_closed, ended;
	bool tls_begun;      /* an octet of TLS came after STARTTLS */
	bool tail_pipelined; /* the unfinished line in pending came together with a command */
	bool early_noted;    /* for the reply that is awaited now */
	bool skipping;       /* the rest of an over-long line */
	unsigned commands, batch;
	uint64_t skipped;

	/* the command that is being answered */
	const struct command *cmd;
	bool pipelined;
	const char *dev;         /* deviation applied to it */
	const char *dev_last;    /* the last one of the session */
	char dev_text[16];       /* "starttls 454" */
	int mailbox;             /* of a RCPT, index; -1 */
	bool to_reports;         /* of a RCPT: the mailbox that takes TLS reports */
	bool to_bounces;         /* of a RCPT: the mailbox that takes bounces */
	bool to_operator;        /* of a RCPT: who runs the site */
	const struct path *rcpt; /* of a RCPT, while it is being run */
	struct behaviour act;
	const struct host_rule *override; /* positive reply instead of ours */
	const char *line;                 /* argument, and the whole line, while it is being run */
	const char *arg;
	size_t line_len, arg_len;
	struct strbuf stash; /* the line, during a delay */
	char *helo;          /* owned; the name in EHLO or HELO; NULL: none yet */

	/* transaction */
	bool mail, batched;
	char *from; /* owned */
	size_t from_len;
	struct strbuf rcpts;
	unsigned n_rcpts, n_tried;
	unsigned n_reports; /* of n_rcpts: the mailbox that takes TLS reports */
	unsigned n_bounces; /* of n_rcpts: the mailbox that takes bounces */
	bool for_operator;  /* all of n_rcpts are who runs the site: nobody's mail of a test */
	char mailbox_text[PATH_LOCAL_MAX + 1];
	struct data *data; /* owned; during ST_DATA, and between chunks of BDAT */
	struct bdat bdat;
	bool binary; /* BODY=BINARYMIME: no DATA */

	struct strbuf pending; /* octets that could not be taken yet */
};

/* Sets up and says hello (or starts the delay before it).  early: octets that were there before.
 * too_many: the client is over its limit of connections, which it is told in the greeting. */
void session_init(struct session *, const struct session_env *, void *ctx, const char *conn,
    const union sockaddr_any *peer, const union sockaddr_any *local, int64_t now_us);
void session_start(struct session *, const char *early, size_t len, bool too_many, int64_t now_us);
void session_clear(struct session *);

void session_input(struct session *, const char *bytes, size_t len, int64_t now_us);
/* The log has everything that was to be durable. */
void session_committed(struct session *, int64_t now_us);
/* When session_tick wants to be called, wall clock; INT64_MAX: never. */
int64_t session_deadline(const struct session *);
void session_tick(struct session *, int64_t now_us);
/* The wall clock was set by us microseconds. */
void session_shift(struct session *, int64_t us);
/* Does the session want no more input for now (its buffer is full)? */
bool session_full(const struct session *);
/* The connection is gone.  how counts unless the session knew already why.  Once. */
void session_end(struct session *, enum session_how how, int64_t now_us);

/* --- TLS: what the TLS engine reports ------------------------------------------------------------ */
/* Octets that arrived after STARTTLS: returns how many of them are injected plaintext (recorded, never
 * executed: RFC 3207 4.2).  TLS begins after them, and from then on there are none: a ClientHello may
 * come in many segments. */
size_t session_preface(
    struct session *, const char *bytes, size_t len, const char *what, int64_t now_us);

/* The functions for its TLS engine (tls.h); who is the session, which a ClientHello may bind. */
extern const struct tls_user session_tls;

/* --- for the files that make up a session: session*.c, command, ehlo, envelope, message ------------ */
void session_stage(struct session *, enum stage);
/* The event of the command that is being answered; code 0: the connection ends instead. */
void session_command_event(struct session *, unsigned code, const char *text);
/* Only sends it, no event; "\n" in text begins another line of the reply. */
void session_put_reply(struct session *, unsigned code, const char *text);
/* The one exit.  text begins with the enhanced status code; '\n' in it makes a multi-line reply. */
void session_reply(struct session *, unsigned code, const char *text);
void session_replyf(struct session *, unsigned code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void session_deviate(struct session *, const struct host_rule *);
void session_close(struct session *, enum session_how, bool reset);
void session_delay(struct session *, int64_t us, enum session_step);
void session_bound(struct session *, const struct binding *);
/* Notes in the binding whether its token was released: then its host does the ordinary thing. */
void session_release(const struct session *, struct binding *);
#define SESSION_RELEASED "released"   /* dev of the events */
void session_reset(struct session *); /* RSET: ends the transaction */
/* The name in EHLO or HELO, cut to what the verifier takes; NULL: none. */
void session_helo(struct session *, const char *name, size_t len);
void session_who(const struct session *, struct behave_who *);
/* Something happened that a phase of the test may hang on. */
void session_phase(struct session *, enum phase_event);
struct event_line *session_event(struct session *, enum event_kind);
void session_event_end(struct session *);
void session_early(struct session *, const char *bytes, size_t len);
void session_framing(struct session *, const char *what, const char *line, size_t len);
void session_hex(struct event_line *, const char *bytes, size_t len);
/* Our name: that of the MX host if the address tells it, else BASE. */
void session_name(const struct session *, char *dst, size_t dstlen);

/* command.c */
void command_line(struct session *, const char *line, size_t len);
void command_resume(struct session *);
const char *command_verb(const struct command *);
const char *command_known(const char *bytes, size_t len); /* verb that bytes begin with, or "?" */
const struct command *command_bdat(void);
bool command_is_last(const struct command *); /* RFC 2920: the client must await the reply */

/* message.c */
void message_begin(struct session *);
size_t message_input(struct session *, const char *bytes, size_t len);
/* The content is complete: the rules of the host at dot, the event, the reply. */
void message_done(struct session *);
void message_resume(struct session *);

#endif
