# GOAT_VERSION and GOAT_ABI_VERSION, read from abi/goat.h: the header is the one place that says them.

set(goat_header "${CMAKE_CURRENT_LIST_DIR}/../../abi/goat.h")
file(STRINGS "${goat_header}" goat_line REGEX "^#define GOAT_VERSION \"[0-9.]+\"$")
string(REGEX REPLACE ".*\"([0-9.]+)\"" "\\1" GOAT_VERSION "${goat_line}")
file(STRINGS "${goat_header}" goat_line REGEX "^#define GOAT_ABI_VERSION [0-9]+$")
string(REGEX REPLACE ".* ([0-9]+)" "\\1" GOAT_ABI_VERSION "${goat_line}")
if(NOT GOAT_VERSION MATCHES "^[0-9]+\\.[0-9]+\\.[0-9]+$" OR NOT GOAT_ABI_VERSION MATCHES "^[0-9]+$")
    message(FATAL_ERROR "abi/goat.h does not say GOAT_VERSION and GOAT_ABI_VERSION in the expected form")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${goat_header}")
