# A thin front to Meson. `make help` says what there is.
BUILD ?= build
FUZZ_SECONDS ?= 60
SANITIZE = -Dbuildtype=debug -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fno-sanitize-recover=all
# TORCH=1 installs PyTorch into the build directory and runs what needs it; tools/check-torch reads it, too.
export TORCH
STOP_ON_UB = ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
DEMO = examples/gpt3-xl-a100-model.csv --microbatches 128 --blocking-power 83.64
# Runs every test of a build, then counts; $(1) is the build directory.
run_tests = rm -f $(1)/meson-logs/testlog.json; status=0; \
	meson test -C $(1) --no-rebuild --print-errorlogs </dev/null || status=1; \
	tools/test-summary $(1)/meson-logs/testlog.json && exit $$status

.PHONY: all demo demo-live check bench paper fidelity install asan fuzz lint format clean help
all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@meson setup $(BUILD)

help:
	@echo 'make          build; the program is $(BUILD)/perseus'
	@echo 'make demo     install what is missing, build, plan the example job, leave pictures in out/demo'
	@echo 'make demo-live  the same live: a PyTorch pipeline on simulated GPUs, profiled, planned and re-planned as it trains'
	@echo 'make check    install what is missing, build, run every test; with TORCH=1 those with PyTorch, too'
	@echo 'make bench    measure; compares with lowtime from PyPI'
	@echo 'make paper    make the paper'\''s emulation anew from its artifact (DATA: its folder); writes docs/paper-results.md'
	@echo 'make fidelity compare predictions with published runs (DATA: their folder); writes docs/fidelity.md'
	@echo 'make install  install (PREFIX, DESTDIR)'
	@echo 'make asan     every test again with the address and undefined-behaviour sanitizers'
	@echo 'make fuzz     run every fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS) seconds'
	@echo 'make lint     clang-tidy, layers, house rules'
	@echo 'make format   rewrite the C files as clang-format has them'

# A build that was configured before its libraries came is configured again.
demo:
	@tools/install-deps build
	@[ ! -e $(BUILD)/build.ninja ] || [ -e $(BUILD)/perseus ] || meson setup --reconfigure $(BUILD) -Dtools=enabled
	@$(MAKE) --no-print-directory all
	@mkdir -p out
	@$(BUILD)/perseus plan $(DEMO) --output out/demo
	@echo 'Look at:' && ls out/demo/*.svg out/demo/*.png

# With PyTorch, which is installed into the build directory where it is not there.
demo-live:
	@tools/install-deps build live
	@[ ! -e $(BUILD)/build.ninja ] || [ -e $(BUILD)/perseus-server ] || meson setup --reconfigure $(BUILD) -Dtools=enabled
	@$(MAKE) --no-print-directory all
	@tools/install-torch $(BUILD)
	@$(BUILD)/torch/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps \
		--no-build-isolation --force-reinstall ./python
	@$(BUILD)/torch/bin/python examples/live/run --program $(BUILD)/perseus

check:
	@tools/install-deps build test
	@[ ! -e $(BUILD)/build.ninja ] || [ -d $(BUILD)/tests/unit ] || \
		meson setup --reconfigure $(BUILD) -Dtools=enabled -Dtests=enabled
	@$(MAKE) --no-print-directory all
	@[ "$(TORCH)" != 1 ] || tools/install-torch $(BUILD)
	@$(call run_tests,$(BUILD))

bench:
	@tools/install-deps build bench
	@$(MAKE) --no-print-directory all
	@bench/run $(BUILD)

paper:
	@tools/install-deps build
	@$(MAKE) --no-print-directory all
	@tools/paper --program $(BUILD)/perseus $(if $(DATA),--data $(DATA))

# Says so and does nothing where the published runs are not there.
fidelity:
	@tools/install-deps build
	@$(MAKE) --no-print-directory all
	@tools/fidelity --program $(BUILD)/perseus $(if $(DATA),--data $(DATA)) \
		--write docs/fidelity.md --chart docs/images/fidelity.svg

install: all
	@[ -z "$(PREFIX)" ] || meson configure $(BUILD) --prefix="$(PREFIX)"
	@ninja -C $(BUILD) >/dev/null
	@meson install --no-rebuild -C $(BUILD)

asan:
	@tools/install-deps build test
	@[ -e build-asan/build.ninja ] || meson setup build-asan $(SANITIZE)
	@ninja -C build-asan
	@export $(STOP_ON_UB); $(call run_tests,build-asan)

fuzz:
	@tools/install-deps build fuzz
	@[ -e build-fuzz/build.ninja ] || CC=clang-19 meson setup build-fuzz $(SANITIZE) -Doptimization=1 -Dfuzz=true -Dtests=disabled
	@ninja -C build-fuzz fuzzers
	@tools/run-fuzz build-fuzz $(FUZZ_SECONDS)

lint:
	@tools/install-deps build test lint
	@[ -e build-lint/build.ninja ] || CC=clang-19 meson setup build-lint
	@tools/check-layers
	@tools/checksrc
	@tools/lint build-lint

format:
	@tools/install-deps lint
	@tools/check-format --fix

clean:
	@rm -rf build build-asan build-fuzz build-lint out
