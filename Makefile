# Build, check and install keepalived. `make help` lists what there is.

PREFIX ?= /usr
SBINDIR ?= $(PREFIX)/sbin
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/keepalived
UNITDIR ?= /lib/systemd/system
SYSCONFDIR ?= /etc
DESTDIR ?=

CARGO ?= cargo
CARGO_FLAGS ?= --locked
# Seconds for each fuzz target.
FUZZ_SECONDS ?= 60

TARGET := $(or $(CARGO_TARGET_DIR),target)
MUSL := x86_64-unknown-linux-musl
# What is installed: the static binary or the other, whichever was built last.
BINARY ?= $(shell ls -t $(TARGET)/$(MUSL)/release/keepalived $(TARGET)/release/keepalived 2>/dev/null | head -n 1)
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SHELL_SCRIPTS := .ci/run scripts/check-samples scripts/setup scripts/lab/musl-build scripts/lab/uml-run conf/keepalived.init
MAN_PAGES := $(wildcard man/*.[158])

.PHONY: all help setup test check fmt clippy fuzz-check samples licences lint-shell lint-man man demo demo-nginx demo-lvs static size fuzz install uninstall dist clean

all: ## release build (the default)
	$(CARGO) build --release $(CARGO_FLAGS)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 16

setup: ## install what building, testing and the demo need (Debian; asks sudo when not root)
	scripts/setup

test: ## every test
	$(CARGO) test $(CARGO_FLAGS)

check: fmt clippy fuzz-check test samples licences lint-shell lint-man ## everything a change has to pass

fmt: ## formatting, changes nothing
	$(CARGO) fmt --check

clippy: ## lints, warnings are errors
	$(CARGO) clippy $(CARGO_FLAGS) --all-targets -- -D warnings

fuzz-check: ## whether the fuzz targets compile, with the versions of fuzz/Cargo.lock
	$(CARGO) check $(CARGO_FLAGS) --manifest-path fuzz/Cargo.toml

samples: ## every file of conf/ through `keepalived -t`
	$(CARGO) build $(CARGO_FLAGS)
	scripts/check-samples $(TARGET)/debug/keepalived conf/*.conf

licences: ## licences of all dependencies against deny.toml
	scripts/check-licences

lint-shell: ## shellcheck
	shellcheck $(SHELL_SCRIPTS)

lint-man: ## mandoc's lint
	mandoc -T lint -W warning $(MAN_PAGES)

man: ## write the parts of the manual pages and of README.md that come from tables
	UPDATE=1 $(CARGO) test $(CARGO_FLAGS) --test manual

demo: ## two routers and a client in network namespaces, one router is killed
	scripts/setup --build
	@$(MAKE) --no-print-directory all
	scripts/demo $(TARGET)/release/keepalived

demo-nginx: ## two web servers with one address that follows the healthy nginx
	scripts/setup --build
	@$(MAKE) --no-print-directory all
	scripts/demo-nginx $(TARGET)/release/keepalived

demo-lvs: ## two directors that spread clients over two web servers; in a guest if need be
	scripts/setup --build
	@$(MAKE) --no-print-directory all
	scripts/demo-lvs $(TARGET)/release/keepalived

static: ## static binary (musl)
	scripts/lab/musl-build --release $(CARGO_FLAGS) --bin keepalived
	@ldd $(TARGET)/$(MUSL)/release/keepalived 2>&1 | grep -q -e 'not a dynamic' -e 'statically linked' || { echo "not static" >&2; exit 1; }
	@$(MAKE) --no-print-directory size

size: ## size of the binaries that were built
	@for f in $(TARGET)/release/keepalived $(TARGET)/$(MUSL)/release/keepalived; do \
		if [ -e $$f ]; then echo "$$f: $$(( ($$(stat -c %s $$f) + 1023) / 1024 )) KiB"; fi; done

# RUSTC_BOOTSTRAP: the sanitizer flags are unstable, the toolchain need not be.
fuzz: ## every fuzz target for FUZZ_SECONDS each
	@cargo fuzz --version >/dev/null 2>&1 || $(CARGO) install cargo-fuzz --locked
	@targets=$$(cargo fuzz list) && [ -n "$$targets" ] && \
	RUSTC_BOOTSTRAP=1 cargo fuzz build && \
	for t in $$targets; do \
		echo "fuzz $$t for $(FUZZ_SECONDS) s"; \
		mkdir -p fuzz/corpus/$$t; seeds=; case $$t in config_*) seeds="conf tests/config" ;; esac; \
		RUSTC_BOOTSTRAP=1 cargo fuzz run $$t fuzz/corpus/$$t $$seeds -- -max_total_time=$(FUZZ_SECONDS) -timeout=25 -rss_limit_mb=2048 -print_final_stats=1 || exit 1; \
	done

install: ## into DESTDIR/PREFIX; a configuration that is there already stays
	@[ -e "$(BINARY)" ] || { echo "run make or make static first" >&2; exit 1; }
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)$(DOCDIR)/samples $(DESTDIR)$(SYSCONFDIR)/keepalived $(DESTDIR)$(SYSCONFDIR)/default
	install -m 0755 $(BINARY) $(DESTDIR)$(SBINDIR)/keepalived
	ln -sf $(SBINDIR)/keepalived $(DESTDIR)$(BINDIR)/genhash
	install -m 0644 man/*.1 $(DESTDIR)$(MANDIR)/man1
	install -m 0644 man/*.5 $(DESTDIR)$(MANDIR)/man5
	install -m 0644 man/*.8 $(DESTDIR)$(MANDIR)/man8
	sed -e 's,@SBINDIR@,$(SBINDIR),g' -e 's,@SYSCONFDIR@,$(SYSCONFDIR),g' conf/keepalived.service.in >$(DESTDIR)$(UNITDIR)/keepalived.service
	chmod 0644 $(DESTDIR)$(UNITDIR)/keepalived.service
	install -m 0644 README.md CHANGELOG.md LICENSE $(DESTDIR)$(DOCDIR)
	install -m 0644 conf/*.conf conf/keepalived.init $(DESTDIR)$(DOCDIR)/samples
	[ -e $(DESTDIR)$(SYSCONFDIR)/keepalived/keepalived.conf ] || \
		install -m 0640 conf/keepalived.conf $(DESTDIR)$(SYSCONFDIR)/keepalived/keepalived.conf
	[ -e $(DESTDIR)$(SYSCONFDIR)/default/keepalived ] || \
		install -m 0644 conf/keepalived.default $(DESTDIR)$(SYSCONFDIR)/default/keepalived

uninstall: ## what install put there, but never the configuration
	rm -f $(DESTDIR)$(SBINDIR)/keepalived $(DESTDIR)$(BINDIR)/genhash $(DESTDIR)$(UNITDIR)/keepalived.service
	rm -f $(patsubst man/%,$(DESTDIR)$(MANDIR)/man1/%,$(wildcard man/*.1)) $(patsubst man/%,$(DESTDIR)$(MANDIR)/man5/%,$(wildcard man/*.5)) $(patsubst man/%,$(DESTDIR)$(MANDIR)/man8/%,$(wildcard man/*.8))
	rm -rf $(DESTDIR)$(DOCDIR)

dist: ## keepalived-VERSION.tar.gz of the committed tree
	git archive --prefix=keepalived-$(VERSION)/ HEAD | gzip -9n >keepalived-$(VERSION).tar.gz
	@ls -l keepalived-$(VERSION).tar.gz

clean: ## remove what was built
	$(CARGO) clean
