# Finds what a build needs, installs what is missing where the user may, else names the exact command.
# Sourced by build.sh. Sets java_for_build (a JDK's folder) and maven.
# shellcheck shell=bash

readonly java_floor=22
system=${CGAN_SYSTEM_ROOT-} # as in cgan-cli

# require_tools [tests|simulator]: what every build needs, and what the native tests or the simulator need besides.
require_tools() {
    local missing
    missing=$(missing_tools "$@")
    if [[ -n $missing ]]; then
        install_tools "$missing"
        missing=$(missing_tools "$@")
        if [[ -n $missing ]]; then explain_missing "$missing"; fi
    fi
    java_for_build=$(find_jdk)
    if command -v mvn >/dev/null; then maven=mvn; else maven=$root/mvnw; fi
}

# Words out of: jdk c++ cmake make gtest boost. Maven is never missing: mvnw fetches it.
missing_tools() {
    local -a missing=()
    find_jdk >/dev/null || missing+=(jdk)
    command -v c++ >/dev/null || command -v g++ >/dev/null || command -v clang++ >/dev/null || missing+=(c++)
    command -v cmake >/dev/null || missing+=(cmake)
    command -v ninja >/dev/null || command -v make >/dev/null || missing+=(make)
    if [[ ${1-} == tests ]]; then has_header gtest/gtest.h || missing+=(gtest); fi
    if [[ ${1-} == tests || ${1-} == simulator ]]; then has_boost || missing+=(boost); fi
    printf '%s' "${missing[*]-}"
}

# Installs the OpenCL loader, which Maven's oneDNN wants to find, where the user may. Nothing else needs it.
offer_opencl() {
    local at=${CGAN_SYSTEM_ROOT-} folder
    for folder in "$at"/usr/lib/*-linux-gnu "$at/usr/lib64" "$at/usr/lib"; do
        if [[ -e $folder/libOpenCL.so.1 ]]; then return; fi
    done
    install_tools opencl
}

has_header() {
    local at=$system prefix
    for prefix in "$at/usr" "$at/usr/local" "$at/opt/homebrew"; do
        if [[ -f $prefix/include/$1 ]]; then return; fi
    done
    return 1
}

# The major version of the JDK in a folder; fails if it is none, or a JRE without a compiler.
jdk_version() {
    [[ -x $1/bin/javac && -f $1/release ]] || return 1
    sed -n 's/^JAVA_VERSION="\(1\.\)\{0,1\}\([0-9]*\).*/\2/p' "$1/release" | grep .
}

# JAVA_HOME, then the java on the PATH, then the newest of those installed in the usual places.
find_jdk() {
    local home version best='' best_version=0
    for home in "${JAVA_HOME-}" "$(jdk_on_path)"; do
        if [[ -n $home ]] && version=$(jdk_version "$home") && ((version >= java_floor)); then
            echo "$home"
            return
        fi
    done
    while IFS= read -r home; do
        if version=$(jdk_version "$home") && ((version >= java_floor && version > best_version)); then
            best=$home best_version=$version
        fi
    done < <(installed_jdks)
    [[ -n $best ]] && echo "$best"
}

jdk_on_path() {
    local java
    java=$(command -v javac) || return 0
    java=$(readlink -f "$java")
    echo "${java%/bin/javac}"
}

installed_jdks() {
    local at=$system home
    for home in "$at"/usr/lib/jvm/* "$at"/usr/lib64/jvm/* "$at"/usr/java/* "$at"/usr/local/* "$at"/opt/* "$at"/opt/java/* \
        "$at"/usr/local/openjdk-* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* "$HOME"/.gradle/jdks/* \
        "$HOME"/.local/share/mise/installs/java/* "$HOME"/.asdf/installs/java/* \
        "$at"/Library/Java/JavaVirtualMachines/*/Contents/Home "$at"/opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
        if [[ -x $home/bin/javac ]]; then echo "$home"; fi
    done
}

package_manager() {
    local manager
    for manager in apt-get dnf zypper pacman apk brew; do
        if command -v "$manager" >/dev/null; then
            echo "$manager"
            return
        fi
    done
    return 1
}

# The packages that hold the named tools, for the machine's package manager.
packages_for() {
    local manager=$1 tool
    shift
    for tool in "$@"; do
        case $manager:$tool in
        *:cmake) echo cmake ;;
        *:make) echo make ;;
        apt-get:opencl) echo ocl-icd-libopencl1 ;;
        zypper:opencl) echo libOpenCL1 ;;
        apk:opencl) echo opencl-icd-loader ;;
        *:opencl) echo ocl-icd ;;
        apt-get:gtest) echo libgtest-dev ;;
        dnf:gtest) echo gtest-devel ;;
        zypper:gtest | pacman:gtest) echo gtest ;;
        apk:gtest) echo gtest-dev ;;
        brew:gtest) echo googletest ;;
        apt-get:boost) echo libboost-context-dev ;;
        dnf:boost) echo boost-devel ;;
        zypper:boost) echo libboost_context-devel ;;
        pacman:boost | brew:boost) echo boost ;;
        apk:boost) echo boost-dev ;;
        apt-get:c++ | apk:c++) echo g++ ;;
        dnf:c++ | zypper:c++) echo gcc-c++ ;;
        pacman:c++ | brew:c++) echo gcc ;;
        apt-get:jdk) jdk_package_apt || echo temurin-25-jdk ;;
        dnf:jdk) echo java-latest-openjdk-devel ;;
        zypper:jdk) echo java-25-openjdk-devel ;;
        pacman:jdk) echo jdk-openjdk ;;
        apk:jdk) echo openjdk25-jdk ;;
        brew:jdk) echo openjdk ;;
        esac
    done
}

jdk_package_apt() {
    local name
    for name in openjdk-25-jdk-headless temurin-25-jdk openjdk-24-jdk-headless openjdk-23-jdk-headless openjdk-22-jdk-headless; do
        if LC_ALL=C apt-cache policy "$name" 2>/dev/null | grep -q 'Candidate: [0-9]'; then
            echo "$name"
            return
        fi
    done
    return 1
}

# The command that installs packages, to show or to run.
install_command() {
    local manager=$1
    shift
    case $manager in
    apt-get) echo "apt-get install -y --no-install-recommends $*" ;;
    dnf) echo "dnf install -y $*" ;;
    zypper) echo "zypper --non-interactive install $*" ;;
    pacman) echo "pacman -S --needed --noconfirm $*" ;;
    apk) echo "apk add $*" ;;
    brew) echo "brew install $*" ;;
    esac
}

# Prints what must stand before a command that needs root; fails if the user may not become root without a password.
become_root() {
    if [[ $(id -u) == 0 ]]; then return 0; fi
    command -v sudo >/dev/null && sudo -n true 2>/dev/null && echo sudo -n
}

install_tools() {
    local manager root_prefix='' command
    local -a tools packages
    read -ra tools <<<"$1"
    manager=$(package_manager) || return 0
    if [[ $manager != brew ]]; then root_prefix=$(become_root) || return 0; fi
    mkdir -p "$root/build"
    if [[ $manager == apt-get ]]; then
        $root_prefix apt-get update >"$root/build/install.log" 2>&1 || true
        # One package that apt does not know would keep it from installing the others.
        if ! jdk_package_apt >/dev/null; then read -ra tools <<<"${1/#jdk/}"; fi
        ((${#tools[@]})) || return 0
    fi
    mapfile -t packages < <(packages_for "$manager" "${tools[@]}")
    command=$(install_command "$manager" "${packages[@]}")
    say "installing what is missing (${tools[*]}): $command"
    # Unquoted: a command line made above from fixed words.
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $root_prefix $command >>"$root/build/install.log" 2>&1 9>&- || true
}

explain_missing() {
    local manager prefix='' as_root=''
    local -a tools packages
    read -ra tools <<<"$1"
    {
        printf 'cgan-cli: missing: %s\n' "$(describe_tools "${tools[@]}")"
        if manager=$(package_manager); then
            if [[ $manager != brew && $(id -u) != 0 ]]; then
                if command -v sudo >/dev/null; then prefix=sudo; else as_root=' as root'; fi
            fi
            if [[ $manager == apt-get && " ${tools[*]} " == *' jdk '* ]] && ! jdk_package_apt >/dev/null; then
                echo "Run this$as_root (the JDK comes from the Adoptium project), then the same command again:"
                adoptium_repository "$prefix"
            else
                echo "Run this$as_root, then the same command again:"
            fi
            mapfile -t packages < <(packages_for "$manager" "${tools[@]}")
            printf '  %s%s\n' "${prefix:+$prefix }" "$(install_command "$manager" "${packages[@]}")"
            if [[ ${tools[0]} == jdk ]]; then
                echo 'For the JDK, a user of SDKMAN may run "sdk install java 25-tem" instead; one unpacked elsewhere is used if JAVA_HOME names it.'
            fi
        else
            echo 'Install them with the package manager of this system (JDK: https://adoptium.net), then run the same command again.'
        fi
        if [[ -s $root/build/install.log ]]; then echo "What was tried is in $root/build/install.log"; fi
    } >&2
    exit 1
}

describe_tools() {
    local tool text=''
    for tool in "$@"; do
        case $tool in
        jdk) text+=", a JDK >= $java_floor (found: $(found_jdks))" ;;
        c++) text+=', a C++20 compiler' ;;
        cmake) text+=', CMake' ;;
        make) text+=', Make or Ninja' ;;
        gtest) text+=', GoogleTest' ;;
        boost) text+=', Boost.Context' ;;
        esac
    done
    echo "${text#, }"
}

found_jdks() {
    local home version text=''
    while IFS= read -r home; do
        if version=$(jdk_version "$home"); then text+=", $version in $home"; fi
    done < <({ echo "${JAVA_HOME-}" && jdk_on_path && installed_jdks; } | while IFS= read -r home; do
        if [[ -n $home ]]; then readlink -f "$home"; fi
    done | awk '!seen[$0]++')
    echo "${text:+${text#, }}" | grep . || echo none
}

adoptium_repository() {
    local codename
    # shellcheck disable=SC1091
    codename=$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME-}")
    printf '  %s%s\n' "${1:+$1 }" 'apt-get install -y wget gpg' \
        '' "wget -qO - https://packages.adoptium.net/artifactory/api/gpg/key/public | gpg --dearmor | ${1:+$1 }tee /etc/apt/trusted.gpg.d/adoptium.gpg >/dev/null" \
        '' "echo 'deb https://packages.adoptium.net/artifactory/deb ${codename:-bookworm} main' | ${1:+$1 }tee /etc/apt/sources.list.d/adoptium.list" \
        "${1:+$1 }" 'apt-get update'
}
