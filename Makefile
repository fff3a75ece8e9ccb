# The commands of a day's work. Each does its own set-up: a fresh Debian 12 with Rust is enough.
.PHONY: demo test bench lint fuzz web clean-namespaces

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

# What a crashed network test may have left.
clean-namespaces:
	scripts/clean-namespaces
