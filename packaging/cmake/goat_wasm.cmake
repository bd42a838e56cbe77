# The product for browsers and workers: libgoat.wasm alone, no JavaScript glue. It exports what
# abi/goat.exports names (memory comes from goat_alloc and goat_free) and imports what
# core/port/wasm/imports.js declares, plus the few functions of WASI that the C library calls. Whoever
# loads it gives all of them to WebAssembly.instantiate.

list(TRANSFORM goat_exports PREPEND "_" OUTPUT_VARIABLE lines)
list(JOIN lines "\n" lines)
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/goat.exports.emcc" CONTENT "${lines}\n")

add_executable(goat_wasm)
goat_link_modules(goat_wasm ${goat_modules})
set_target_properties(goat_wasm PROPERTIES
    OUTPUT_NAME libgoat SUFFIX .wasm LINKER_LANGUAGE C
    LINK_DEPENDS "${PROJECT_BINARY_DIR}/goat.exports.emcc;${GOAT_WASM_IMPORTS}")
target_link_libraries(goat_wasm PRIVATE goat_flags)
target_link_options(goat_wasm PRIVATE
    -O3 --no-entry -sWASM_BIGINT -sALLOW_MEMORY_GROWTH -sMALLOC=emmalloc -sTOTAL_STACK=1MB -sFILESYSTEM=0
    "-sEXPORTED_FUNCTIONS=@${PROJECT_BINARY_DIR}/goat.exports.emcc" ${GOAT_WASM_JS})
