/* Any octets as a configuration file: ranges hold or it is refused with a reason. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct target {
	char name[8];
	unsigned number;
	uint64_t size;
	int64_t wait;
	struct conf_list list;
};
#define FIELD(f) offsetof(struct target, f), sizeof(((struct target *)NULL)->f)
static const struct conf_row rows[] = {
	{ "name", CONF_STRING, FIELD(name), 0, 0, "a", "a name" },
	{ "number", CONF_UINT, FIELD(number), 1, 64, "3", "a number" },
	{ "size", CONF_BYTES, FIELD(size), 1024, 1 << 20, "64K", "a size" },
	{ "wait", CONF_DURATION, FIELD(wait), 1000, 60000000, "5s", "a duration" },
	{ "list", CONF_LIST, FIELD(list), 0, 0, "a b", "a list" },
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int fd = -1;
	char path[64], err[256] = "";
	struct target t;

	if (fd < 0 && (fd = memfd_create("conf", 0)) < 0)
		abort();
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, len, 0) != (ssize_t)len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (conf_load(&t, rows, 5, path, err, sizeof(err)) < 0) {
		if (err[0] == '\0' || t.list.n != 0)
			abort();
		return 0;
	}
	if (t.number < 1 || t.number > 64 || t.size < 1024 || t.size > 1 << 20 || t.wait < 1000 ||
	    t.wait > 60000000 || strlen(t.name) > 7 || t.list.n > CONF_LIST_MAX)
		abort();
	conf_clear(&t, rows, 5);
	return 0;
}
