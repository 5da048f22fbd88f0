# Outpost: hand-written, quiet, parallel.
#   make [SAN=1] [CC=clang] [BUILD=dir]     programs into $(BUILD)
#   make demo | check | check-fast | bench | fuzz | format | install | clean

CC      ?= gcc
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := 0.1

SHAREDIR   = $(PREFIX)/share/outpost
LIBEXECDIR = $(PREFIX)/libexec/outpost
MANDIR     = $(PREFIX)/share/man

OPT      ?= -O2 -g
WARN     ?= -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla
CPPFLAGS += -I. -D_GNU_SOURCE -DOUTPOST_VERSION='"$(VERSION)"' \
            -DOUTPOST_SHAREDIR='"$(SHAREDIR)"' -DOUTPOST_LIBEXECDIR='"$(LIBEXECDIR)"'
CFLAGS   += -std=c11 $(OPT) $(WARN) -fno-strict-aliasing -fstack-protector-strong
LDFLAGS  += -Wl,-z,relro,-z,now
ifdef WERROR
CFLAGS   += -Werror
endif
ifdef SAN
CFLAGS   += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS  += -fsanitize=address,undefined
else
CPPFLAGS += -D_FORTIFY_SOURCE=2
endif

# Includes point one way only: a module sees itself and what stands after it here.
DEPS_lib          = lib
DEPS_zones        = zones lib
DEPS_provisioning = provisioning zones lib
DEPS_authdns      = authdns provisioning zones lib
DEPS_smtpd        = smtpd provisioning zones lib
DEPS_results      = results provisioning zones lib
DEPS_outpost      = outpost results provisioning zones lib
MODULES           = lib zones provisioning authdns smtpd results outpost

LIBS_lib          = -lpthread
LIBS_zones        = $(LIBS_lib)
LIBS_provisioning = -lldns -lssl -lcrypto $(LIBS_lib)
LIBS_authdns      = -levent $(LIBS_provisioning)
LIBS_smtpd        = -levent -levent_openssl $(LIBS_provisioning)
LIBS_results      = -lsqlite3 -lm $(LIBS_provisioning)
LIBS_outpost      = -lsqlite3 -lm -lunbound $(LIBS_provisioning)

PROGRAMS = $(BUILD)/outpost $(BUILD)/authdns $(BUILD)/smtpd

all: $(PROGRAMS)

Q = @
say = @printf '  %-7s %s\n'

# --- compile -------------------------------------------------------------
$(BUILD)/obj/%.o: %.c Makefile
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

define module
$(BUILD)/lib$(1).a: $$(patsubst %.c,$$(BUILD)/obj/%.o,$$(filter-out $(1)/main.c,$$(wildcard $(1)/*.c)))
	$$(say) AR $$@
	@rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(foreach m,$(MODULES),$(eval $(call module,$(m))))

archives = $(patsubst %,$(BUILD)/lib%.a,$(DEPS_$(1)))

define program
$(BUILD)/$(1): $(BUILD)/obj/$(1)/main.o $(call archives,$(1))
	$$(say) LD $$@
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LIBS_$(1))
endef
$(foreach p,authdns smtpd outpost,$(eval $(call program,$(p))))

# --- unit tests: tests/unit/MODULE/test_X.c links what MODULE may see ------
define unit
UNIT_$(1) := $$(patsubst tests/unit/$(1)/%.c,$$(BUILD)/unit/$(1)/%,$$(wildcard tests/unit/$(1)/test_*.c))
UNITS += $$(UNIT_$(1))
$$(BUILD)/unit/$(1)/%: $$(BUILD)/obj/tests/unit/$(1)/%.o $$(call archives,$(1))
	$$(say) LD $$@
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$^ -lcmocka $$(LIBS_$(1))
unit-$(1): $$(UNIT_$(1))
	@for t in $$^; do CMOCKA_MESSAGE_OUTPUT=stdout $$$$t || exit 1; done
endef
$(foreach m,$(MODULES),$(eval $(call unit,$(m))))
unit: $(UNITS)

# --- bench: side by side with the peers, in one run -----------------------
BENCHES = $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(call archives,provisioning)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_provisioning)
bench: $(PROGRAMS) $(BENCHES)
	$(Q)tests/bench/run $(BUILD)

clean:
	rm -rf $(BUILD)

.PHONY: all unit bench clean $(addprefix unit-,$(MODULES))
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
