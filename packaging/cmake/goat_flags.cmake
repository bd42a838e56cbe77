# goat_flags: the interface target that everything of ours is compiled with. Nothing of it is passed on
# to those who use the library.

option(GOAT_WERROR "Warnings are errors" OFF)
option(GOAT_SLOW_ASSERTIONS "Check also what costs time (GOAT_ASSERT_SLOW)" OFF)
option(GOAT_LTO "Optimise across files; the static library stays usable without it" OFF)
option(GOAT_FUZZ "Build tests/fuzz with libFuzzer instead of the corpus replayer (clang)" OFF)
option(GOAT_COVERAGE "Count which lines run (gcov)" OFF)
set(GOAT_SANITIZE "" CACHE STRING "Sanitizers, such as address,undefined or thread")

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
if(NOT EMSCRIPTEN) # one object serves the shared and the static library
    set(CMAKE_POSITION_INDEPENDENT_CODE ON)
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Assertions name files from the root of the project, wherever it was built. It stands here because the
# last mapping that fits wins, and goat_module adds finer ones.
add_compile_options("-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=")

add_library(goat_flags INTERFACE)
target_compile_options(goat_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla
    $<$<BOOL:${GOAT_WERROR}>:-Werror>)
target_compile_definitions(goat_flags INTERFACE $<$<BOOL:${GOAT_SLOW_ASSERTIONS}>:GOAT_SLOW_ASSERTIONS>)

if(NOT EMSCRIPTEN)
    target_compile_options(goat_flags INTERFACE -fstack-protector-strong)
    target_link_options(goat_flags INTERFACE LINKER:-z,relro,-z,now)
endif()
if(GOAT_SANITIZE)
    set(goat_sanitize "-fsanitize=${GOAT_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_compile_options(goat_flags INTERFACE ${goat_sanitize})
    target_link_options(goat_flags INTERFACE ${goat_sanitize})
    if(CMAKE_C_COMPILER_ID MATCHES Clang AND GOAT_SANITIZE MATCHES address)
        target_compile_definitions(goat_flags INTERFACE __SANITIZE_ADDRESS__) # as gcc tells of it
    endif()
endif()
if(GOAT_FUZZ)
    # Coverage feedback everywhere; only the fuzzers themselves link libFuzzer's main().
    target_compile_options(goat_flags INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(goat_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(GOAT_COVERAGE)
    target_compile_options(goat_flags INTERFACE --coverage -fprofile-abs-path)
    target_link_options(goat_flags INTERFACE --coverage)
endif()
if(GOAT_LTO)
    target_compile_options(goat_flags INTERFACE -flto=auto -ffat-lto-objects)
    target_link_options(goat_flags INTERFACE -flto=auto)
endif()
