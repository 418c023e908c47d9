# Two commands to know: `make demo` and `make test`. The others are for developers.

CARGO ?= cargo
# Everything that is built goes into one target directory, so that no dependency is compiled twice.
export CARGO_TARGET_DIR ?= $(CURDIR)/target

.PHONY: demo test soak bench fmt lint need parts

## A month of usage, from arrays to statements, on real parts on this machine.
demo: need
	@scripts/fetch-parts.sh & fetching=$$!; \
	$(CARGO) build --release --locked && wait $$fetching && $(CARGO_TARGET_DIR)/release/plimsoll demo

## Everything that the tests need, then the tests.
test: need
	@scripts/fetch-parts.sh & fetching=$$!; \
	$(CARGO) test --locked --no-run && wait $$fetching && $(CARGO) test --locked

## 100,000 random quotes against a second implementation, each property as often, and a million inputs each of quotes and of contracts and
## ten million of the decoder that must never panic; 200 cycles of faults on the real parts (PLIMSOLL_SOAK_CYCLES); then a million schedules of simulated ones.
## docs/TESTING.md says how long it takes. The first seed is new each time, and shown.
soak: need parts
	@cases=$${PLIMSOLL_CASES:-100000}; seed=$${PLIMSOLL_SEED:-$$(date +%s)000000}; echo "PLIMSOLL_SEED=$$seed PLIMSOLL_CASES=$$cases"; \
	PLIMSOLL_SEED=$$seed PLIMSOLL_CASES=$$cases $(CARGO) test --locked --test it -- --nocapture --test-threads=1 quote:: rating:: decoder:: && \
	PLIMSOLL_SEED=$$seed PLIMSOLL_SOAK_CYCLES=$${PLIMSOLL_SOAK_CYCLES:-200} $(CARGO) test --locked --test it -- --nocapture soak::
	@$(CARGO) run --release --locked --features sim -- simulate --seed 1 --count 1000000

## The figures of docs/PERFORMANCE.md, as one table.
bench: need parts
	@$(CARGO) bench --locked --bench pipeline

fmt:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --locked --all-targets -- -D warnings

## The tools that building needs: names what is missing, installs it where it may.
need:
	@scripts/need.sh

## Kafka and the ClickHouse engine, into the cache.
parts:
	@scripts/fetch-parts.sh
