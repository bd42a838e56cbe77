# External libraries for WebAssembly: built once from Debian's source packages, kept outside the build
# folder, found there at once the next time.

execute_process(COMMAND "${PROJECT_SOURCE_DIR}/packaging/wasm-deps" OUTPUT_VARIABLE GOAT_WASM_DEPS
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)

foreach(name IN ITEMS jansson sodium pcre2 cmocka)
    add_library(goat_external_${name} STATIC IMPORTED GLOBAL)
    set_target_properties(goat_external_${name} PROPERTIES
        IMPORTED_LOCATION "${GOAT_WASM_DEPS}/lib/lib${name}.a"
        INTERFACE_INCLUDE_DIRECTORIES "${GOAT_WASM_DEPS}/include")
    add_library(goat::${name} ALIAS goat_external_${name})
endforeach()

# There are no threads; a module may name them all the same.
add_library(Threads::Threads INTERFACE IMPORTED GLOBAL)

# cmocka.h would define the type itself, as another one than <stdint.h> does.
target_compile_definitions(goat_external_cmocka INTERFACE _UINTPTR_T_DEFINED)

# What the engine imports from its host, declared for emcc: anything else undefined is a link error.
set(GOAT_WASM_IMPORTS "${PROJECT_SOURCE_DIR}/core/port/wasm/imports.js")
set(GOAT_WASM_JS "SHELL:--js-library ${GOAT_WASM_IMPORTS}")
if(NOT EXISTS "${GOAT_WASM_IMPORTS}")
    set(GOAT_WASM_IMPORTS "")
    set(GOAT_WASM_JS "")
endif()
