# The commands of a day's work. Each does its own set-up: a fresh Debian 12 with Rust is enough.
.PHONY: demo test bench lint fuzz web deb test-deb clean-namespaces

KULKUL ?= target/release/kulkul
FUZZ_SECONDS ?= 60

# A whole regency on this machine. ARGS go to it: make demo ARGS="--listen 0.0.0.0:8080"
demo:
	scripts/setup demo
	cargo build --release --locked
	$(KULKUL) demo $(ARGS)

# Every test: Rust on both databases, the browser, the namespace street.
test:
	scripts/setup test
	scripts/test

# The bars, as ratios against peers and limits measured in the same run.
bench:
	scripts/setup bench
	scripts/bench

lint:
	scripts/setup lint
	scripts/lint

# Random bytes into every decoder: make fuzz FUZZ_SECONDS=600
fuzz:
	scripts/setup fuzz
	FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz

# The front end alone: target/web is what the hub embeds.
web:
	scripts/setup web

# The Debian packages kulkul-hub and kulkul-gateway: target/deb. Two release builds: not part of make test.
deb:
	scripts/setup demo
	cargo build --release --locked
	cargo build --profile router --locked -p kulkul --no-default-features --features gateway
	scripts/package-deb

# Installs, runs, removes and purges them on a copy of this system (root), from whatever is built.
test-deb:
	scripts/test-deb

# What a crashed network test may have left.
clean-namespaces:
	scripts/clean-namespaces
