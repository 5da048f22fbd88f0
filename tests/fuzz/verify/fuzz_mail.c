/* Any octets as a message: the fields follow each other, nothing is lost between them and the body. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "verify/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
check_field(const struct mail_field *f, const char *start)
{
	check(f->raw.p == start && f->name.p == start && f->name.n > 0);
	check(f->name.p[f->name.n] == ':' || f->name.p[f->name.n] == ' ' ||
	      f->name.p[f->name.n] == '\t');
	check(f->value.p > f->name.p + f->name.n && f->value.p[-1] == ':');
	check(f->value.p + f->value.n <= f->raw.p + f->raw.n);
	check((size_t)(f->raw.p + f->raw.n - f->value.p) - f->value.n <= 2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct mail_limits limits = { .header_len = 500, .fields = 20 };
	const char *text = (const char *)data, *at = text;
	struct mail m;

	mail_parse(&m, text, len, &limits);
	check(m.n <= limits.fields && m.n <= m.fields);
	check(m.over_limit == (m.n < m.fields));
	for (size_t i = 0; i < m.n; i++) {
		check_field(&m.field[i], at);
		at += m.field[i].raw.n;
	}
	check(m.over_limit || at == text + m.header_len);
	check(m.body.n == 0 || m.body.p + m.body.n == text + len);
	check(m.header_len + m.body.n <= len && m.header_len + m.body.n + 2 >= len);
	check(!m.over_limit || m.wrong[0] != '\0');
	for (size_t i = 0, n = 0; i < m.n; i++) {
		char name[8] = "";
		memcpy(name, m.field[i].name.p, m.field[i].name.n < 7 ? m.field[i].name.n : 7);
		n = mail_count(&m, name);
		check(n <= m.n && (n > 0 || m.field[i].name.n > 7));
	}
	mail_clear(&m);
	return 0;
}
