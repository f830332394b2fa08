# Builds and runs the native tests.
#   cmake -DROOT=<repository> -P test-native.cmake
cmake_minimum_required(VERSION 3.18)

include(${CMAKE_CURRENT_LIST_DIR}/native-build.cmake)
configure(-DCGAN_TESTS=ON -DCGAN_CUDA=ON -DCGAN_SIM=ON)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} --parallel ${cores} COMMAND_ERROR_IS_FATAL ANY)
execute_process(
    COMMAND ${CMAKE_CTEST_COMMAND} --test-dir ${BUILD} --parallel ${cores} --output-on-failure --no-tests=error
    COMMAND_ERROR_IS_FATAL ANY)
