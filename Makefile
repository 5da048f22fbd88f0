# Outpost: hand-written, quiet, parallel.
#   make [SAN=1] [CC=clang] [BUILD=dir]     programs into $(BUILD)
#   make demo | check | check-fast | bench | fuzz | man | format | install | clean

ifeq ($(origin CC),default)
CC       = gcc
endif
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := 0.1

SHAREDIR   = $(PREFIX)/share/outpost
LIBEXECDIR = $(PREFIX)/libexec/outpost
MANDIR     = $(PREFIX)/share/man
UNITDIR    = $(PREFIX)/lib/systemd/system

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
CPPFLAGS += -DOUTPOST_DEBUG
CFLAGS   += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS  += -fsanitize=address,undefined
else
CPPFLAGS += -D_FORTIFY_SOURCE=2
endif

# Includes point one way only: a module sees itself and what stands after it here.
DEPS_lib          = lib
DEPS_zones        = zones lib
DEPS_provisioning = provisioning zones lib
DEPS_verify       = verify lib
DEPS_authdns      = authdns provisioning zones lib
DEPS_smtpd        = smtpd verify provisioning zones lib
DEPS_results      = results provisioning zones lib
DEPS_web          = web results provisioning zones lib
DEPS_outpost      = outpost results verify provisioning zones lib
MODULES           = lib zones provisioning verify authdns smtpd results web outpost

LIBS_lib          = -lpsl -lseccomp -lpthread
LIBS_zones        = -lcrypto $(LIBS_lib)
LIBS_provisioning = -lldns -lssl -lcrypto -lidn2 $(LIBS_lib)
LIBS_verify       = -lspf2 -lopendkim -lunbound -lidn2 -levent -lcrypto $(LIBS_lib)
TEST_LIBS_verify  = -lyaml
LIBS_authdns      = -levent $(LIBS_provisioning)
LIBS_smtpd        = -levent_openssl $(LIBS_verify) $(LIBS_provisioning)
LIBS_results      = -lsqlite3 -lz -lm $(LIBS_provisioning)
LIBS_web          = -levent -levent_openssl -lsqlite3 -lz -lm $(LIBS_provisioning)
LIBS_outpost      = -lsqlite3 -lz -lm $(LIBS_verify) $(LIBS_provisioning)

# Databases of addresses: whichever library is there.
GEO := $(shell for l in libloc libmaxminddb; do pkg-config --exists $$l 2>/dev/null && echo $$l; done)
LIBS_results += $(GEO:lib%=-l%)
LIBS_outpost += $(GEO:lib%=-l%)
LIBS_web += $(GEO:lib%=-l%)
$(BUILD)/obj/results/whereabouts.o $(BUILD)/obj/tests/unit/results/test_whereabouts.o: private CPPFLAGS += \
    $(patsubst libloc,-DHAVE_LIBLOC,$(patsubst libmaxminddb,-DHAVE_LIBMAXMINDDB,$(GEO)))

PROGRAMS = $(BUILD)/outpost $(BUILD)/authdns $(BUILD)/smtpd $(BUILD)/web

all: $(PROGRAMS)

Q = @
say = @printf '  %-7s %s\n'

# What is served as it is becomes part of the program.
$(BUILD)/obj/web/assets.o: $(wildcard web/static/*)
$(BUILD)/obj/results/report_style.o: results/report.css

# --- compile -------------------------------------------------------------
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@flags='$(subst ','\'',$(CC) $(CPPFLAGS) $(CFLAGS))'; \
	    [ "$$flags" = "$$(cat $@ 2>/dev/null)" ] || printf '%s\n' "$$flags" >$@
$(BUILD)/obj/%.o: %.c $(BUILD)/flags
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
$(foreach p,authdns smtpd web outpost,$(eval $(call program,$(p))))

# --- test programs: what is in tests/KIND/MODULE links what MODULE may see -
# $(1) MODULE, $(2) target pattern, $(3) object pattern, $(4) more to link
define test-program
$(2): $(3) $(call archives,$(1))
	$$(say) LD $$@
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$^ $(4) $$(LIBS_$(1))
endef

# tests/unit/MODULE/test_X.c -> unit/MODULE/test_X, cmocka
# tests/replay/MODULE*.c     -> replay/MODULE
# tests/fuzz/MODULE/fuzz_X.c -> fuzz-replay/X: runs the corpus once; fuzz/X: see make fuzz
define module-tests
UNIT_$(1)   := $$(patsubst tests/unit/$(1)/%.c,$$(BUILD)/unit/$(1)/%,$$(wildcard tests/unit/$(1)/test_*.c))
REPLAY_$(1) := $$(patsubst tests/replay/%.c,$$(BUILD)/replay/%,$$(wildcard tests/replay/$(1).c))
FUZZ_$(1)   := $$(patsubst tests/fuzz/$(1)/fuzz_%.c,%,$$(wildcard tests/fuzz/$(1)/fuzz_*.c))
UNITS       += $$(UNIT_$(1))
REPLAYS     += $$(REPLAY_$(1))
FUZZ        += $$(FUZZ_$(1))
$$(if $$(UNIT_$(1)),$$(eval $$(call test-program,$(1),$$(BUILD)/unit/$(1)/%,$$(BUILD)/obj/tests/unit/$(1)/%.o,-lcmocka $(TEST_LIBS_$(1)))))
$$(if $$(REPLAY_$(1)),$$(eval $$(call test-program,$(1),$$(REPLAY_$(1)),\
    $$(patsubst %.c,$$(BUILD)/obj/%.o,$$(wildcard tests/replay/$(1)*.c)))))
$$(foreach x,$$(FUZZ_$(1)),$$(eval $$(call test-program,$(1),$$(BUILD)/fuzz-replay/$$(x),\
    $$(BUILD)/obj/tests/fuzz/$(1)/fuzz_$$(x).o $$(BUILD)/obj/tests/fuzz/main.o)))
$$(foreach x,$$(FUZZ_$(1)),$$(eval $$(call test-program,$(1),$$(BUILD)/fuzz-$$(x),\
    $$(BUILD)/obj/tests/fuzz/$(1)/fuzz_$$(x).o,-fsanitize=fuzzer)))
unit-$(1): $$(UNIT_$(1))
	@for t in $$^; do CMOCKA_MESSAGE_OUTPUT=stdout $$$$t || exit 1; done
endef
$(foreach m,$(MODULES),$(eval $(call module-tests,$(m))))
unit: $(UNITS)

FUZZ_REPLAYS = $(FUZZ:%=$(BUILD)/fuzz-replay/%)
BENCHES      = $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
$(eval $(call test-program,provisioning,$(BUILD)/bench/%,$(BUILD)/obj/tests/bench/%.o,))

# --- make check: everything; make check-fast: hermetic, under a minute -----
RUN       = @BUILD='$(abspath $(BUILD))' OUTPOST='$(abspath $(BUILD))/outpost' tests/run
# A build that a test or the demo begins uses every processor, unless the caller said how many.
BEGIN     = @$(MAKE) -s --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
FAST      = $(UNITS) $(REPLAYS) $(FUZZ_REPLAYS)
SCRIPTS   = tests/runner tests/includes tests/limits tests/format tests/lint tests/sections tests/man tests/coverage
# The longest first: they mostly wait, two at a time.
LABS      = tests/lab/check-senders.sh tests/lab/check-web.sh \
    $(filter-out %/check-senders.sh %/check-web.sh,$(wildcard tests/lab/check*.sh))
check-programs: $(FAST)
check-fast: all man $(FAST)
	$(RUN) $(SCRIPTS) $(FAST)
check:
	@tests/packages build check
	$(BEGIN) all man $(FAST)
	$(RUN) $(SCRIPTS) $(FAST) $(wildcard tests/wire/*.sh) -j 2 $(LABS) -j 1 tests/readme

# The fuzzers are a build of their own: every object knows the fuzzer.
FUZZ_SECONDS ?= 60
fuzz:
	@tests/packages build ci
	$(BEGIN) BUILD=$(BUILD)/fuzz CC=clang SAN=1 \
	    OPT='-O1 -g -fsanitize=fuzzer-no-link' fuzz-programs
	@tests/fuzz/run $(BUILD)/fuzz $(FUZZ_SECONDS) $(FUZZ)
fuzz-programs: $(FUZZ:%=$(BUILD)/fuzz-%)

demo:
	@tests/packages build
	$(BEGIN) all
	@OUTPOST='$(abspath $(BUILD))/outpost' tests/lab/demo
bench: all $(BENCHES)
	@BUILD='$(abspath $(BUILD))' tests/bench/run

# --- manual pages: "@manual X@" in a page is what "outpost manual X" prints -
MAN = $(patsubst man/%,$(BUILD)/man/%,$(wildcard man/*.[1578]) $(patsubst %.in,%,$(wildcard man/*.[1578].in)))
$(BUILD)/man/%: man/%
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(BUILD)/man/%: man/%.in $(BUILD)/outpost
	$(say) MAN $@
	@mkdir -p $(@D)
	$(Q)sed -n 's/^@manual \(.*\)@$$/\1/p' $< | while read -r x; do \
	    $(BUILD)/outpost manual "$$x" >$(@D)/$$x.mdoc || exit 1; done
	$(Q)sed -e '/^@manual \(.*\)@$$/{s||cat $(@D)/\1.mdoc|e' -e '}' $< >$@.tmp && mv $@.tmp $@
man: $(MAN)

# --- install ---------------------------------------------------------------
INSTALL = $(Q)install
install: all man
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(SHAREDIR)
	$(INSTALL) -m 755 $(BUILD)/outpost $(DESTDIR)$(PREFIX)/bin/
	$(INSTALL) -m 755 $(BUILD)/authdns $(BUILD)/smtpd $(BUILD)/web $(DESTDIR)$(LIBEXECDIR)/
	$(Q)find zones/base.zone zones/FORMAT.md zones/catalogue tests/lab -type f -not -name 'check*.sh' | while read -r f; do \
	    mode=644; [ -x "$$f" ] && mode=755; \
	    install -D -m $$mode "$$f" "$(DESTDIR)$(SHAREDIR)/$${f#tests/}" || exit 1; done
	$(INSTALL) -m 755 provisioning/acme-lego $(DESTDIR)$(SHAREDIR)/
	$(INSTALL) -d $(DESTDIR)$(UNITDIR)
	$(Q)sed 's,@BINDIR@,$(PREFIX)/bin,' outpost/outpost.service >$(DESTDIR)$(UNITDIR)/outpost.service
	$(Q)chmod 644 $(DESTDIR)$(UNITDIR)/outpost.service
	$(Q)for page in $(MAN); do \
	    install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; done

format:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf $(BUILD)

.PHONY: all unit check check-fast check-programs fuzz fuzz-programs demo bench man install format clean \
        $(addprefix unit-,$(MODULES))
.PHONY: FORCE
.DELETE_ON_ERROR:
.PRECIOUS: $(BUILD)/obj/%.o
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
