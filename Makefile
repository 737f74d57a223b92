# Everything a person needs: `make demo`, `make test`, `make check`, `make bench`, `make nano`.
# Set-up happens by itself, once: .venv, the pinned requirements, the native kernels.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# Training asks for the same large blocks in every step; glibc would give them back to the system
# each time. Keeping them saves a sixth of a step and changes no number (docs/log.md).
KEEP_MEMORY := MALLOC_MMAP_THRESHOLD_=1000000000 MALLOC_TRIM_THRESHOLD_=1000000000

.PHONY: demo test check check-native bench nano format setup clean

setup: $(READY)

$(VENV)/.installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("netweight needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11 $(MAKECMDGOALS)") if sys.version_info < (3, 11) else None'
	@echo "setting up: $(VENV) and the packages of requirements.txt (some minutes, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

# The native part is built here; without a C++ compiler CMake says so and the reference kernels serve.
$(READY): $(VENV)/.installed pyproject.toml CMakeLists.txt $(wildcard native/*)
	@echo "setting up: the native kernels"
	@$(BIN)/pip install -qq --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

demo: $(READY)
	@rm -rf out/demo
	$(BIN)/netweight weigh nano --suite quick --out out/demo
	$(BIN)/netweight verdict examples/story.txt --records out/demo/records --out out/demo

# On all cores, a thread each for numpy; more than four workers would need more memory than they
# save time.
test: $(READY)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy
	$(BIN)/typos

# The native kernels' tests under sanitizers; with SIMDe (Debian: libsimde-dev) for every instruction set,
# those that this processor lacks emulated. Minutes.
check-native: $(READY)
	$(BIN)/cmake -S . -B build/check -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(BIN)/ninja \
		-DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python -DNETWEIGHT_SANITIZE=ON \
		-DNETWEIGHT_EMULATE=$(if $(wildcard /usr/include/simde/x86/avx512.h),ON,OFF) >/dev/null
	$(BIN)/cmake --build build/check
	LD_PRELOAD="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libubsan.so)" \
		ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		NETWEIGHT_TEST_NATIVE=$$(ls build/check/_native*.so) \
		$(BIN)/python -m pytest -p no:cacheprovider tests/model/test_native_*.py tests/model/test_mxfp4.py

bench: $(READY)
	$(BIN)/python -m benchmarks.nano
	$(BIN)/python -m benchmarks.nano_scores
	$(KEEP_MEMORY) $(BIN)/python -m benchmarks.nano_training

# Makes the embedded model again, in out/nano.
nano: $(READY)
	$(KEEP_MEMORY) $(BIN)/python -m recipes.nano out/nano

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build out .mypy_cache .ruff_cache .pytest_cache .hypothesis
