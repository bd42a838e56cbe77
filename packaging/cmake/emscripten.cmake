# Toolchain file around the one of Debian's emscripten (3.1.6).

find_program(GOAT_EM_CONFIG em-config REQUIRED)
execute_process(COMMAND "${GOAT_EM_CONFIG}" EMSCRIPTEN_ROOT OUTPUT_VARIABLE EMSCRIPTEN_ROOT_PATH
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)

# Tests run in Node. Its fetch() would be taken for a browser's by emscripten's glue, which then asks it
# for a file name ("Failed to parse URL").
find_program(GOAT_NODE NAMES node nodejs REQUIRED)
set(CMAKE_CROSSCOMPILING_EMULATOR "${GOAT_NODE};--no-experimental-fetch")

include("${EMSCRIPTEN_ROOT_PATH}/cmake/Modules/Platform/Emscripten.cmake")

# The JavaScript glue of test programs is made with Debian's acorn, which only Debian's own node finds by
# itself.
if(EXISTS /usr/share/nodejs/acorn)
    set(CMAKE_C_LINKER_LAUNCHER "${CMAKE_COMMAND};-E;env;NODE_PATH=/usr/share/nodejs")
endif()
