# Build, check and install keepalived. `make help` lists the targets.

PREFIX ?= /usr
SBINDIR ?= $(PREFIX)/sbin
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/keepalived
UNITDIR ?= /lib/systemd/system
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d
SYSCONFDIR ?= /etc
DESTDIR ?=

CARGO ?= cargo
CARGO_FLAGS ?= --locked
# Of the static binaries: --no-default-features for one without the optional parts.
FEATURES ?=
# Run time of each fuzz target, in seconds.
FUZZ_SECONDS ?= 60
# Length of `make soak`; in `make test` it takes one minute.
SOAK_SECONDS ?= 600

TARGET := $(or $(CARGO_TARGET_DIR),target)
MUSL := x86_64-unknown-linux-musl
# The binary to install: static or dynamic, whichever was built last.
BINARY ?= $(shell ls -t $(TARGET)/$(MUSL)/release/keepalived $(TARGET)/$(MUSL)/small/keepalived $(TARGET)/release/keepalived 2>/dev/null | head -n 1)
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SHELL_SCRIPTS := .ci/run scripts/check-samples scripts/check-packages scripts/check-units scripts/setup scripts/lab/bench-bfd scripts/lab/bench-vmacs scripts/lab/foreign scripts/lab/musl-build scripts/lab/musl-root scripts/lab/processors scripts/lab/sizes scripts/lab/uml-run conf/keepalived.init conf/keepalived.openrc conf/completions/kactl.bash packaging/install.sh packaging/build packaging/deb/preinst packaging/deb/postinst packaging/deb/prerm packaging/deb/postrm packaging/alpine/keepalived-rs.post-install packaging/alpine/keepalived-rs.post-upgrade packaging/alpine/keepalived-rs.pre-deinstall packaging/openwrt/files/keepalived.init
MAN_PAGES := $(wildcard man/*.[158])

.PHONY: all help setup test check fmt clippy doc fuzz-check samples bench soak counts licences lint-shell lint-man small man demo demo-nginx demo-lvs demo-router static check-size test-foreign size sizes fuzz install uninstall deb rpm apk tarball image recipes packages check-packages check-units dist clean

all: ## build the release binary (default)
	$(CARGO) build --release $(CARGO_FLAGS)

help: ## show this list
	@sed -n 's/^\([a-z% -]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 36

setup: ## install the prerequisites for build, tests and demos, as make test does (Debian; uses sudo if not root)
	@scripts/setup

# Prerequisites are installed where they are missing, which is quick if none is.
test: ## run all tests
	@scripts/setup --all
	$(CARGO) test $(CARGO_FLAGS)

check: fmt clippy small doc fuzz-check test samples licences lint-shell lint-man ## run all checks that a change must pass

fmt: ## check the formatting
	$(CARGO) fmt --check

clippy: ## run clippy, with warnings as errors
	$(CARGO) clippy $(CARGO_FLAGS) --all-targets -- -D warnings

doc: ## make the documentation of the code, with warnings as errors
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" $(CARGO) doc $(CARGO_FLAGS) --no-deps --document-private-items

small: ## check the builds without optional parts: clippy and the unit tests
	$(CARGO) clippy $(CARGO_FLAGS) --no-default-features --all-targets -- -D warnings
	$(CARGO) test $(CARGO_FLAGS) --no-default-features --lib
	$(CARGO) test $(CARGO_FLAGS) --no-default-features --features lvs,bfd --lib

fuzz-check: ## compile the fuzz targets with the versions of fuzz/Cargo.lock
	$(CARGO) check $(CARGO_FLAGS) --manifest-path fuzz/Cargo.toml

samples: ## check the sample configurations with `keepalived -t`
	$(CARGO) build $(CARGO_FLAGS)
	scripts/check-samples $(TARGET)/debug/keepalived conf/*.conf

soak: ## put two routers through trouble of every kind for SOAK_SECONDS (600)
	SOAK_SECONDS=$(SOAK_SECONDS) $(CARGO) test $(CARGO_FLAGS) --test soak -- --nocapture

bench: all ## measure this program beside keepalived (BENCH_THEIRS=PATH), and write bench/RESULTS.md
	$(CARGO) bench $(CARGO_FLAGS) --bench beside

counts: ## count the instructions of the hot paths, and compare them with the recorded counts
	$(CARGO) bench $(CARGO_FLAGS) --bench instructions

deny: ## run cargo deny: licences, sources, duplicates, and advisories if their database can be had
	@cargo deny --version >/dev/null 2>&1 || $(CARGO) install cargo-deny --locked --debug
	cargo deny --offline check licenses bans sources
	cargo deny check advisories || echo "advisories were not checked"

licences: ## check the licences of all dependencies against deny.toml
	scripts/check-licences

lint-shell: ## run shellcheck
	shellcheck $(SHELL_SCRIPTS)

lint-man: ## run the linter of mandoc
	mandoc -T lint -W warning $(MAN_PAGES)

man: ## regenerate the table-driven parts of the manual pages and README.md
	UPDATE=1 $(CARGO) test $(CARGO_FLAGS) --test manual

# A demo builds the binary that it runs, unless it is given one.
demo-setup = @scripts/setup --build && $(if $(DEMO_BINARY),true,$(MAKE) --no-print-directory all)

demo: ## failover between two routers in network namespaces
	$(demo-setup)
	scripts/demo $(or $(DEMO_BINARY),$(TARGET)/release/keepalived)

demo-nginx: ## two web servers; the address follows the one with a healthy nginx
	$(demo-setup)
	scripts/demo-nginx $(or $(DEMO_BINARY),$(TARGET)/release/keepalived)

demo-lvs: ## two directors balance clients over two web servers; in a guest if IPVS is missing
	$(demo-setup)
	scripts/demo-lvs $(or $(DEMO_BINARY),$(TARGET)/release/keepalived)

demo-router: ## two gateways with a virtual MAC; a download goes on while they change places
	$(demo-setup)
	scripts/demo-router $(or $(DEMO_BINARY),$(TARGET)/release/keepalived)

static: ## build the static binary (musl), for speed
	scripts/lab/musl-build --release $(CARGO_FLAGS) --bin keepalived $(FEATURES)
	@ldd $(TARGET)/$(MUSL)/release/keepalived 2>&1 | grep -q -e 'not a dynamic' -e 'statically linked' || { echo "not static" >&2; exit 1; }
	@$(MAKE) --no-print-directory size

static-%: ## build a small static binary for a processor: static-x86_64, static-aarch64 ... (scripts/lab/processors)
	PROCESSOR=$* scripts/lab/musl-build --profile small $(CARGO_FLAGS) --bin keepalived $(FEATURES)
	@$(MAKE) --no-print-directory size

# Bytes that the small binary for x86-64 may have, with all parts.
SMALL_MAX := 4000000
check-size: ## check that the small binary has not grown too large (after make static-x86_64)
	@size=$$(stat -c %s $(TARGET)/$(MUSL)/small/keepalived); [ $$size -le $(SMALL_MAX) ] || { \
		echo "the small binary has $$size bytes, more than $(SMALL_MAX): find out what has grown" >&2; exit 1; }

FOREIGN ?= armv7
test-foreign: ## test the binaries for other processors (FOREIGN) in an emulator
	scripts/lab/foreign $(FOREIGN)

size: ## show the size of the built binaries
	@for f in $(TARGET)/release/keepalived $(TARGET)/*-musl*/release/keepalived $(TARGET)/*-musl*/small/keepalived; do \
		if [ -e $$f ]; then echo "$$f: $$(( ($$(stat -c %s $$f) + 1023) / 1024 )) KiB"; fi; done

sizes: ## build the static binary with each choice of parts and optimization, and print a table of sizes (two hours)
	@scripts/lab/sizes

# RUSTC_BOOTSTRAP allows the unstable sanitizer flags on a stable toolchain. With the one codegen unit that
# cargo fuzz asks for, the crate is compiled by one processor.
fuzz fuzz-run-%: export RUSTC_BOOTSTRAP := 1
fuzz fuzz-run-%: export RUSTFLAGS := -C codegen-units=16

fuzz: ## run each fuzz target for FUZZ_SECONDS; with -j2, two at a time
	@cargo fuzz --version >/dev/null 2>&1 || $(CARGO) install cargo-fuzz --locked --debug
	@cargo fuzz build
	@targets=$$(cargo fuzz list) && [ -n "$$targets" ] && $(MAKE) --no-print-directory $$(printf 'fuzz-run-%s ' $$targets)

fuzz-run-%:
	@echo "fuzz $* for $(FUZZ_SECONDS) s"
	@mkdir -p fuzz/corpus/$*
	@cargo fuzz run $* fuzz/corpus/$* $(if $(filter config_%,$*),conf tests/config) -- -max_total_time=$(FUZZ_SECONDS) -timeout=25 -rss_limit_mb=2048 -print_final_stats=1

# The variables of packaging/install.sh.
export PREFIX SBINDIR BINDIR MANDIR DOCDIR UNITDIR BASHCOMPDIR ZSHCOMPDIR FISHCOMPDIR SYSCONFDIR DESTDIR

install: ## install into DESTDIR/PREFIX; touches no configuration
	@[ -e "$(BINARY)" ] || { echo "run make or make static first" >&2; exit 1; }
	@BINARY='$(BINARY)' packaging/install.sh

uninstall: ## remove the installed files, except the configuration
	@packaging/install.sh --uninstall

check-packages: ## build the packages and install each in a root of its own (after make static; as root)
	scripts/check-packages

# Packages contain the static binary, see packaging/build.
deb rpm apk tarball image recipes: ## build a package of the static binary (after make static)
	@packaging/build $@

packages: ## build all of them
	@packaging/build deb rpm apk tarball image recipes

check-units: ## run the daemon under a systemd in a container, with each unit (after cargo build; as root)
	scripts/check-units

dist: ## create keepalived-VERSION.tar.gz from the committed tree
	git archive --prefix=keepalived-$(VERSION)/ HEAD | gzip -9n >keepalived-$(VERSION).tar.gz
	@ls -l keepalived-$(VERSION).tar.gz

clean: ## remove build output
	$(CARGO) clean
