# The product: `goat` (shared) and `goat_static` (one archive with every object), and how they are
# installed. Only the functions that abi/goat.exports names can be seen from outside.

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
target_link_options(goat PRIVATE "LINKER:--version-script,${goat_version_script}" LINKER:-Bsymbolic-functions
    $<$<NOT:$<BOOL:${GOAT_SANITIZE}>>:LINKER:-z,defs>)
add_library(libgoat::goat ALIAS goat)

# What a program that links the static library needs besides, for pkg-config and for CMake.
get_property(goat_external_targets GLOBAL PROPERTY GOAT_EXTERNAL)
list(REMOVE_DUPLICATES goat_external_targets)
set(goat_requires "")
set(goat_libs "")
foreach(target IN LISTS goat_external_targets)
    get_property(package GLOBAL PROPERTY GOAT_PACKAGE_OF_${target})
    if(package)
        list(APPEND goat_requires "${package}")
    elseif(target STREQUAL "Threads::Threads")
        list(APPEND goat_libs -pthread)
    elseif(target STREQUAL "m")
        list(APPEND goat_libs -lm)
    else()
        message(FATAL_ERROR "libgoat.pc cannot name ${target}: add it to goat_external.cmake")
    endif()
endforeach()
list(JOIN goat_requires " " GOAT_CONFIG_PACKAGES)
set(GOAT_CONFIG_LIBS "${goat_libs}")
list(JOIN goat_requires ", " GOAT_PC_REQUIRES)
string(REGEX REPLACE "([<>]=?)" " \\1 " GOAT_PC_REQUIRES "${GOAT_PC_REQUIRES}")
list(JOIN goat_libs " " GOAT_PC_LIBS)

# An installed tree may be moved: everything is named relative to where the two files lie.
set(goat_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/libgoat")
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
           BASE_DIRECTORY "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" OUTPUT_VARIABLE GOAT_PC_PREFIX)
configure_file(packaging/cmake/libgoat.pc.in libgoat.pc @ONLY)

include(CMakePackageConfigHelpers)
configure_package_config_file(packaging/cmake/libgoatConfig.cmake.in libgoatConfig.cmake
    INSTALL_DESTINATION "${goat_cmake_dir}" PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(libgoatConfigVersion.cmake VERSION ${GOAT_VERSION} COMPATIBILITY SameMinorVersion)

install(TARGETS goat LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(TARGETS goat_static ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES abi/goat.h abi/goat_port.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES "${PROJECT_BINARY_DIR}/libgoat.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
install(FILES "${PROJECT_BINARY_DIR}/libgoatConfig.cmake" "${PROJECT_BINARY_DIR}/libgoatConfigVersion.cmake"
        DESTINATION "${goat_cmake_dir}")
