# Sets ROOT, BUILD and cores, and configures the native build in BUILD with the options given.
get_filename_component(ROOT "${ROOT}" ABSOLUTE)
set(BUILD "${ROOT}/build/native")
cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)

function(configure)
    set(generator)
    if(NOT EXISTS "${BUILD}/CMakeCache.txt")
        find_program(NINJA NAMES ninja ninja-build)
        if(NINJA)
            set(generator -G Ninja)
        endif()
    endif()
    execute_process(
        COMMAND ${CMAKE_COMMAND} -S ${ROOT} -B ${BUILD} ${generator} -DCMAKE_BUILD_TYPE=Release ${ARGV}
        COMMAND_ERROR_IS_FATAL ANY)
endfunction()
