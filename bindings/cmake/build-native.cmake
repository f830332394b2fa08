# Configures and builds libcgan and its plugins, then packs them for the jar.
#   cmake -DROOT=<repository> -DRESOURCES=<folder of native/> [-DPLUGINS=all|none|cuda sim] -P build-native.cmake
# PLUGINS are built where the machine has what they need.
# Result: RESOURCES/<os>-<arch>/{libcgan.so, plugins, libraries.txt}; libraries.txt has one "sha256 bytes name" a line.
cmake_minimum_required(VERSION 3.18)

include(${CMAKE_CURRENT_LIST_DIR}/native-build.cmake)
set(CGAN_CUDA OFF)
set(CGAN_SIM OFF)
if(NOT DEFINED PLUGINS OR PLUGINS MATCHES "all|cuda")
    set(CGAN_CUDA ON)
endif()
if(NOT DEFINED PLUGINS OR PLUGINS MATCHES "all|sim")
    set(CGAN_SIM ON)
endif()
configure(-DCGAN_CUDA=${CGAN_CUDA} -DCGAN_SIM=${CGAN_SIM})
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
file(GLOB packed "${target}/*.so")

set(index "")
file(STRINGS "${BUILD}/lib/libraries.list" libraries)
foreach(library IN LISTS libraries)
    get_filename_component(name "${library}" NAME)
    # By rename, never in place: a running JVM may have the old file mapped.
    file(COPY_FILE "${library}" "${target}/${name}.new")
    file(RENAME "${target}/${name}.new" "${target}/${name}")
    file(SHA256 "${library}" hash)
    file(SIZE "${library}" bytes)
    string(APPEND index "${hash} ${bytes} ${name}\n")
    list(REMOVE_ITEM packed "${target}/${name}")
endforeach()
if(packed) # plugins of an older build
    file(REMOVE ${packed})
endif()
file(WRITE "${target}/libraries.txt" "${index}")
