#!/usr/bin/env bash
# Proves and measures the CUDA backend on a machine that has a GPU, nvcc, CMake and Python, but no network, Java or Maven.
#
#   benchmarks/gpu-check.sh prepare DIR      here: makes the folder DIR and DIR.tar.gz (under 60 MB) from what verify built
#   DIR/gpu-check.sh run [STEP...]           there: all steps, or some; one line each, the logs in DIR/results
#   DIR/gpu-check.sh summary                 there: the lines of all steps that were run
#   benchmarks/gpu-check.sh rehearse         anywhere: prepares, then runs every step on the simulator, at tiny size
#
# A step passes, fails, or is skipped with a reason; the next one follows in any case. The exit code is 1 if any failed.
# No step takes longer than GPU_CHECK_LIMIT seconds (540); GPU_CHECK_DEVICE (cuda:0) names another device.
set -uo pipefail

readonly steps=(build contract contract-vendor contract-tf32 agreement agreement-tf32 memcheck racecheck kernels-mnist kernels-dcgan
    steps train-cgan train-report judge-cgan peers-cgan peers-report)
readonly max_bytes=60000000 googletests=(/usr/src/googletest /usr/src/gtest)
here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here device=${GPU_CHECK_DEVICE:-cuda:0} limit=${GPU_CHECK_LIMIT:-540} results=$here/results
rehearsal=${GPU_CHECK_REHEARSAL-} # in a rehearsal, the folder of the native build that stands in for the one of this check
readonly built=${rehearsal:-$here/build/native}

say() { printf 'gpu-check: %s\n' "$*" >&2; }
die() { say "$@" && exit 1; }

# ---- on the machine that has the repository ----------------------------------------------------------------------
prepare() {
    local folder=$1 root jdk googletest archive
    root=$(cd "$here/.." && pwd)
    [[ -f $root/cli/target/app/cgan-cli.jar && -f $root/benchmarks/target/app/cgan-benchmarks.jar ]] ||
        die "nothing is built: run ./cgan-cli verify first"
    [[ ! -e $folder ]] || die "$folder exists already"
    googletest=$(first_folder "${googletests[@]}") ||
        die "GoogleTest's sources are missing (Debian, Ubuntu: apt-get install googletest)"
    jdk=$(find_jdk "$root") || die "no JDK >= 22 with jlink was found"

    mkdir -p "$folder"/{app,source,googletest} || exit
    cp "$root"/benchmarks/gpu-check.sh "$folder"
    cp -r "$root"/benchmarks/peers "$folder/peers"
    cp "$root"/benchmarks/target/app/*.jar "$folder/app"
    cp "$root"/cli/target/app/*.jar "$folder/app" # newer where both have one: the program's
    cp -r "$root"/{CMakeLists.txt,native,LICENSE,NOTICE} "$folder/source"
    (cd "$googletest" && find . \( -name docs -o -name samples -o -name test -o -name googlemock \) -prune -o -type f -print0 |
        xargs -0 cp --parents -t "$folder/googletest")
    "$jdk/bin/jlink" --add-modules java.desktop,java.logging,java.management,jdk.unsupported --compress zip-0 \
        --strip-debug --no-header-files --no-man-pages --output "$folder/java" || die "jlink failed"
    strip --strip-unneeded "$folder/java/lib/server/libjvm.so" 2>/dev/null
    archive=$folder.tar.gz
    tar -C "$(dirname "$folder")" -czf "$archive" "$(basename "$folder")" || die "tar failed"
    (($(stat -c %s "$archive") < max_bytes)) || die "$archive has $(stat -c %s "$archive") bytes, more than $max_bytes"
    say "$archive: $(($(stat -c %s "$archive") / 1000000)) MB; unpack it on the GPU's machine and start $(basename "$folder")/gpu-check.sh run"
}

first_folder() {
    local folder
    for folder; do
        if [[ -d $folder ]]; then echo "$folder" && return; fi
    done
    return 1
}

# As the launcher does, which this borrows the search from.
find_jdk() {
    # shellcheck source=cli/launcher/prerequisites.sh
    (root=$1 system='' && . "$root/cli/launcher/prerequisites.sh" && find_jdk)
}

# Everything that needs no GPU: what is prepared is whole, Java runs from it, each step finds what it needs, and a step
# that fails is told and does not stop the others.
rehearse() {
    local root folder code=0
    root=$(cd "$here/.." && pwd)
    [[ -f $root/build/native/lib/libcgan_sim.so ]] || { say 'not rehearsed: there is no simulator (it needs Boost.Context)' && return; }
    [[ -f $root/cli/target/app/cgan-cli.jar && -x $root/build/native/bin/operator_tests && -x $root/build/native/bin/agreement_tests ]] || { say 'not rehearsed: verify has not built everything' && return; }
    first_folder "${googletests[@]}" >/dev/null || { say "not rehearsed: GoogleTest's sources are not in ${googletests[*]}" && return; }
    command -v python3 >/dev/null || { say 'not rehearsed: there is no python3, which reads the figures' && return; }
    folder=$root/build/gpu-check
    rm -rf "$folder" "$folder.tar.gz" && mkdir -p "$root/build"
    (prepare "$folder") || return
    GPU_CHECK_REHEARSAL=$root/build/native GPU_CHECK_DEVICE=sim "$folder/gpu-check.sh" run || code=1
    if GPU_CHECK_REHEARSAL=$root/build/native GPU_CHECK_DEVICE=cuda:99 "$folder/gpu-check.sh" run contract agreement train-report \
        >"$folder/results/planted.log" 2>&1 || [[ $(grep -c '^failed' "$folder/results/planted.log") != 3 ]]; then
        say "a device that does not exist was not reported by every step; see $folder/results/planted.log"
        code=1
    fi
    if ((code == 0)); then rm -rf "$folder" "$folder.tar.gz"; fi
    return "$code"
}

# ---- on the machine with the GPU: the steps ----------------------------------------------------------------------
# Each prints its log; its last words, in `figure`, go to the summary. Code 77 means skipped.
step_build() {
    local cmake cores capability
    capability=$(capability)
    cores=$(nproc)
    cmake=$(command -v cmake || python3 -c 'import cmake, os; print(os.path.join(cmake.CMAKE_BIN_DIR, "cmake"))') ||
        { figure='CMake was not found' && return 1; }
    "$cmake" -S "$here/googletest" -B "$here/build/googletest" -DCMAKE_BUILD_TYPE=Release -DBUILD_GMOCK=OFF \
        -DCMAKE_INSTALL_PREFIX="$here/build/prefix" || { figure='GoogleTest could not be configured' && return 1; }
    local -a native=(-S "$here/source" -B "$here/build/native" -DCMAKE_BUILD_TYPE=Release -DCGAN_SIM=OFF
        -DCMAKE_CUDA_ARCHITECTURES="${capability:-90}-real")
    if [[ -n $rehearsal ]]; then
        "$cmake" "${native[@]}" || { figure='the sources could not be configured' && return 1; }
        figure='configured; the libraries are those of verify'
        return
    fi
    "$cmake" --build "$here/build/googletest" --parallel "$cores" --target install &&
        "$cmake" "${native[@]}" -DCGAN_TESTS=ON -DCMAKE_PREFIX_PATH="$here/build/prefix" &&
        "$cmake" --build "$here/build/native" --parallel "$cores" --target libraries operator_tests agreement_tests ||
        { figure='the native build failed' && return 1; }
    [[ -f $built/lib/libcgan_cuda.so ]] || { figure='nvcc was not found: there is no libcgan_cuda.so' && return 1; }
    figure="libcgan, libcgan_cuda for sm_$capability, operator_tests and agreement_tests"
}

# The first GPU's, as 90 for Hopper; nothing where there is none.
capability() { nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -d .; }

step_contract() { contract handwritten; }
step_contract-vendor() {
    if [[ -z $rehearsal ]] && ! has_vendor; then figure='cuDNN and cuBLAS cannot both be used, see the log for why' && return 77; fi
    contract vendor
}
# The operators that tensor cores serve.
step_contract-tf32() {
    local products='matmul.*:dense_forward.*:conv2d_*:-*_f64' kernels=handwritten capability
    capability=$(capability)
    if [[ -z $rehearsal ]] && ((${capability:-0} < 80)); then figure='tensor cores take TF32 from compute capability 8.0 on' && return 77; fi
    operators 'handwritten&precision=tf32' "$products" || return
    if [[ -z $rehearsal ]] && has_vendor; then
        operators 'vendor&precision=tf32' "$products" || return
        kernels="$kernels and vendor"
    fi
    figure="$(passed_cases) operator cases equal the reference on $device in TF32 with $kernels kernels"
}
contract() { operators "$1" '*' && figure="$(passed_cases) operator cases equal the reference on $device with $1 kernels"; }

# The models' layers at their real size and batch: the CPU, our kernels, and the vendor's if there are any.
step_agreement() { agreement fp32; }
step_agreement-tf32() {
    local capability
    capability=$(capability)
    if [[ -z $rehearsal ]] && ((${capability:-0} < 80)); then figure='tensor cores take TF32 from compute capability 8.0 on' && return 77; fi
    agreement tf32
}

agreement() {
    local names="cpu?transforms=off" candidates=handwritten filter='*' batch=64 kernels
    [[ -x $built/bin/agreement_tests ]] || { figure='there is no agreement_tests: the build failed' && return 1; }
    if [[ -n $rehearsal ]]; then
        filter='*report_d_conv1:*wgan_gp_d_out' batch=1 candidates='handwritten vendor'
    elif has_vendor; then
        candidates='handwritten vendor'
    fi
    for kernels in $candidates; do names+=" $device?kernels=$kernels&precision=$1"; done
    CGAN_TEST_DEVICES=$names CGAN_TEST_BATCH=$batch "$built/bin/agreement_tests" --gtest_filter="$filter" ||
        { figure='a layer differs' && return 1; }
    figure="$(passed_cases) layers at batch $batch are the CPU's on $device in $1 with ${candidates// / and } kernels"
}

step_memcheck() { sanitized memcheck; }
step_racecheck() { sanitized racecheck; }

# operators KERNELS FILTER [TOOL...]: the contract, in as many processes as are useful, in front of each of them TOOL.
operators() {
    local name="$device?kernels=$1" filter=$2 shards shard code=0
    shift 2
    [[ -x $built/bin/operator_tests ]] || { figure='there is no operator_tests: the build failed' && return 1; }
    shards=$(($(nproc) < 8 ? $(nproc) : 8))
    if [[ -n $rehearsal ]]; then filter='softmax_forward.*:gather_rows.*:dense_forward.n1_*' shards=1; fi
    local -a running=()
    for ((shard = 0; shard < shards; shard++)); do
        CGAN_TEST_DEVICES=$name GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$shard \
            "$@" "$built/bin/operator_tests" --gtest_filter="$filter" &
        running+=($!)
    done
    for shard in "${running[@]}"; do wait "$shard" || code=1; done
    if ((code != 0)); then figure='a case failed'; fi
    return "$code"
}

passed_cases() { awk '/^\[  PASSED  \] [0-9]+ tests/ { sum += $4 } END { print sum + 0 }' "$log"; }

# Small shapes are enough: the kernels' code is the same, and the tools are slow.
sanitized() {
    local tool=$1 small='-*_c64_*:*_c128_*:*_c256_*:*_c512_*:*_k6272_*:*_i6272_*:*_k1024_*:*_f64:random.*' sanitizer
    if [[ -n $rehearsal ]]; then
        operators handwritten "$small" env CGAN_SIM_RACES=1 && figure="compute-sanitizer needs a GPU; the simulator found nothing in $(passed_cases) cases"
        return
    fi
    sanitizer=$(command -v compute-sanitizer || compgen -G '/usr/local/cuda*/bin/compute-sanitizer' | head -n 1)
    [[ -n $sanitizer ]] || { figure='compute-sanitizer was not found' && return 77; }
    operators handwritten "$small" "$sanitizer" --tool "$tool" --error-exitcode 9 || return
    figure="nothing found in $(passed_cases) cases"
}

java() { CGAN_NATIVE_DIR=$built/lib "$here/java/bin/java" --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -cp "$here/app/*" "$@"; }

step_kernels-mnist() { kernels report,cgan; }
step_kernels-dcgan() { kernels dcgan:64x64x3,dcgan,wgan-gp; }

# Every operator of the models by our kernels, and by the vendor's if there are any.
kernels() {
    local models=$1 out=$results/$step candidates=handwritten
    local -a how=(-f 0 -p "device=$device" -p "out=$out")
    if [[ -n $rehearsal ]]; then
        models=report candidates=handwritten,vendor how+=(-p batch=1 -p operator='^dense|^adam|^conv2d_pool' -wi 0 -i 1)
    elif has_vendor; then
        candidates=handwritten,vendor
    fi
    rm -rf "$out"
    java dev.cgan.benchmarks.BenchmarkMain KernelBenchmark "${how[@]}" -p "models=$models" -p "kernels=$candidates"
    if grep -E '^\| [a-z0-9_]+ \| [^|]+ \| \|' "$out"/*.md; then figure='operators of our own were not measured' && return 1; fi
    figure=$(python3 "$here/peers/gpu.py" kernels "$out"/*.csv) || { figure='the benchmark wrote no table' && return 1; }
}

# kernels=vendor needs both; the rows of the two go to the log.
has_vendor() {
    local rows
    rows=$(java dev.cgan.cli.Main doctor | grep -A 3 -E '^lib(cudnn|cublas)\.so ')
    printf '%s\n' "$rows"
    (($(grep -cE '^lib(cudnn|cublas)\.so +ok' <<<"$rows") == 2))
}

# Whole steps of each model, replayed as a graph and operator by operator.
step_steps() {
    local -a how=(-p "device=$device" -rf csv -rff "$results/steps.csv")
    if [[ -n $rehearsal ]]; then how+=(-p model=report -p batch=1 -wi 0 -i 1 -r 1ms); else how+=(-p graph=auto,off); fi
    java dev.cgan.benchmarks.BenchmarkMain StepBenchmark "${how[@]}" || { figure='the benchmark failed' && return 1; }
    figure=$(python3 "$here/peers/gpu.py" steps "$results/steps.csv") || { figure='there is no table' && return 1; }
}

step_train-cgan() { train cgan; }
step_train-report() { train report; }

train() {
    local model=$1 run=$results/run-$1
    local -a how=(--steps 3000 --sample-every 1000)
    if [[ -n $rehearsal ]]; then how=(--steps 1 --batch 2 --set width=2 --sample-every 0); fi
    rm -rf "$run"
    java dev.cgan.cli.Main train "$model" --device "$device" --out "$run" "${how[@]}" || { figure='training failed' && return 1; }
    figure=$(python3 "$here/peers/gpu.py" run "$run/metrics.jsonl") || { figure='there are no metrics' && return 1; }
}

# Are the digits of train-cgan the requested ones, and do they differ? As docs/learning.md, by a classifier that is trained here.
step_judge-cgan() {
    local run=$results/run-cgan data=$results/mnist/dev/cgan/cli/mnist classifier=$results/classifier.pt samples=$results/samples.safetensors
    local count=5000
    local -a verdict=(--check)
    [[ -d $run ]] || { figure='train-cgan was not run before' && return 1; }
    python3 -c 'import torch' 2>/dev/null || { figure='Python has no torch' && return 77; }
    python3 -m zipfile -e "$here/app/cgan-cli.jar" "$results/mnist" || { figure='the jar has no data' && return 1; }
    if [[ -n $rehearsal ]]; then # of a network that was not trained no verdict is asked
        count=20 verdict=()
        (cd "$here/peers" && python3 -c 'import sys, torch, digits; torch.save(digits.Classifier().state_dict(), sys.argv[1])' "$classifier") ||
            { figure='there is no classifier' && return 1; }
    elif [[ ! -f $classifier ]]; then
        python3 "$here/peers/digits.py" --data "$data" --out "$classifier" || { figure='the classifier could not be trained' && return 1; }
    fi
    java dev.cgan.cli.Main sample "$run" --device "$device" --labels all --count "$count" --raw "$samples" ||
        { figure='no samples were drawn' && return 1; }
    figure=$(python3 "$here/peers/judge_samples.py" "$samples" --data "$data" --classifier "$classifier" --brief "${verdict[@]}") ||
        { figure="${figure:-the samples could not be judged}" && return 1; }
}

step_peers-cgan() { peers cgan; }
step_peers-report() { peers report; }

# PyTorch eager and compiled, and ours, in turns.
peers() {
    python3 -c 'import torch' 2>/dev/null || { figure='Python has no torch' && return 77; }
    local -a how=(--warmup 200 --steps 1000 --turn 100) ours=(batch=64)
    if [[ -n $rehearsal ]]; then how=(--warmup 0 --steps 1 --turn 1 --batch 2 --torch-device cpu --eager-only) ours=(batch=2 width=2); fi
    figure=$(CGAN_NATIVE_DIR=$built/lib python3 "$here/peers/gpu.py" duel "$1" "${how[@]}" -- \
        "$here/java/bin/java" --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -cp "$here/app/*" \
        dev.cgan.benchmarks.TrainingPeer "$1" "device=$device" "${ours[@]}") || { figure='a contestant failed' && return 1; }
}

# ---- running them ------------------------------------------------------------------------------------------------
# In a process group of its own, so that all that a step started ends with it.
run_step() {
    local step=$1 began=$SECONDS code=0 word figure log=$results/$1.log
    rm -f "$results/$step".{line,figure}
    timeout -k 5 "$limit" "$BASH" "${BASH_SOURCE[0]}" step "$step" >"$log" 2>&1 || code=$?
    case $code in
    0) word=passed ;;
    77) word=skipped ;;
    *) word=failed ;;
    esac
    figure=$(cat "$results/$step.figure" 2>/dev/null)
    if ((code == 124 || code == 137)); then figure="it took longer than $limit s"; fi
    if [[ $word == failed ]]; then figure="${figure:-it broke off}; see results/$step.log"; fi
    printf '%-8s %-15s %4d s  %s\n' "$word" "$step" $((SECONDS - began)) "$figure" | tee "$results/$step.line"
    [[ $word != failed ]]
}

run() {
    local step code=0
    mkdir -p "$results"
    if (($# == 0)); then set -- "${steps[@]}"; fi
    for step; do
        [[ " ${steps[*]} " == *" $step "* ]] || die "unknown step $step; there are: ${steps[*]}"
    done
    for step; do run_step "$step" || code=1; done
    return "$code"
}

one_step() {
    step=$1 figure='' log=$results/$1.log
    local code=0
    "step_$1" || code=$?
    printf '%s\n' "$figure" >"$results/$1.figure"
    exit "$code"
}

summary() {
    local step
    for step in "${steps[@]}"; do
        cat "$results/$step.line" 2>/dev/null || printf '%-8s %s\n' 'not run' "$step"
    done
    ! grep -qs '^failed' "$results"/*.line
}

case ${1-} in
prepare) [[ $# == 2 ]] || die "usage: gpu-check.sh prepare DIR" && prepare "$(realpath -m "$2")" ;;
rehearse) rehearse ;;
run) run "${@:2}" ;;
step) one_step "$2" ;;
summary) summary ;;
*) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" && exit 2 ;;
esac
