# The product: `goat` (shared) and `goat_static` (one archive with every object). Only the functions that
# abi/goat.exports names can be seen from outside the shared one.

get_property(goat_modules GLOBAL PROPERTY GOAT_MODULES)
list(REMOVE_ITEM goat_modules port_sim) # the simulated machine is for tests

set(goat_exports_file "${PROJECT_SOURCE_DIR}/abi/goat.exports")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${goat_exports_file}")
file(STRINGS "${goat_exports_file}" goat_exports)

add_library(goat_static STATIC)
goat_link_modules(goat_static ${goat_modules})
set_target_properties(goat_static PROPERTIES OUTPUT_NAME goat LINKER_LANGUAGE C)
target_link_libraries(goat_static PUBLIC goat_headers)
target_compile_definitions(goat_static INTERFACE GOAT_STATIC)
add_library(libgoat::static ALIAS goat_static)

if(EMSCRIPTEN)
    include(goat_wasm)
    return()
endif()

list(JOIN goat_exports ";\n        " lines)
set(goat_version_script "${PROJECT_BINARY_DIR}/goat.map")
file(CONFIGURE OUTPUT "${goat_version_script}"
     CONTENT "LIBGOAT_${GOAT_ABI_VERSION} {\n    global:\n        ${lines};\n    local:\n        *;\n};\n")

add_library(goat SHARED)
goat_link_modules(goat ${goat_modules})
set_target_properties(goat PROPERTIES
    VERSION ${GOAT_VERSION} SOVERSION ${GOAT_ABI_VERSION} LINKER_LANGUAGE C
    LINK_DEPENDS "${goat_version_script}")
target_link_libraries(goat PUBLIC goat_headers PRIVATE goat_flags)
target_link_options(goat PRIVATE "LINKER:--version-script,${goat_version_script}" LINKER:-Bsymbolic-functions)
if(NOT GOAT_SANITIZE) # clang leaves the sanitizer's own symbols to the program
    target_link_options(goat PRIVATE LINKER:-z,defs)
endif()
add_library(libgoat::goat ALIAS goat)
