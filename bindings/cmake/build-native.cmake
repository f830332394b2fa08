# Configures and builds libcgan, then packs it for the jar.
#   cmake -DROOT=<repository> -DRESOURCES=<folder of native/> -P build-native.cmake
# Result: RESOURCES/<os>-<arch>/{libcgan.so, plugins, libraries.txt}; libraries.txt has one "sha256 bytes name" a line.
cmake_minimum_required(VERSION 3.18)

include(${CMAKE_CURRENT_LIST_DIR}/native-build.cmake)
configure()
execute_process(
    COMMAND ${CMAKE_COMMAND} --build ${BUILD} --parallel ${cores} --target libraries
    COMMAND_ERROR_IS_FATAL ANY)

cmake_host_system_information(RESULT os QUERY OS_NAME)
string(TOLOWER "${os}" os)
cmake_host_system_information(RESULT arch QUERY OS_PLATFORM)
string(REGEX REPLACE "^(amd64|AMD64|x64)$" "x86_64" arch "${arch}")
string(REGEX REPLACE "^arm64$" "aarch64" arch "${arch}")
set(target "${RESOURCES}/${os}-${arch}")
file(MAKE_DIRECTORY "${target}")

set(index "")
file(GLOB libraries "${BUILD}/lib/libcgan*.so")
foreach(library IN LISTS libraries)
    get_filename_component(name "${library}" NAME)
    # By rename, never in place: a running JVM may have the old file mapped.
    file(COPY_FILE "${library}" "${target}/${name}.new")
    file(RENAME "${target}/${name}.new" "${target}/${name}")
    file(SHA256 "${library}" hash)
    file(SIZE "${library}" bytes)
    string(APPEND index "${hash} ${bytes} ${name}\n")
endforeach()
file(WRITE "${target}/libraries.txt" "${index}")
