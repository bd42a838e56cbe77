# External libraries as targets goat::<name>. Natively they are the system's, found by pkg-config; for
# WASM they are built from Debian's source packages by packaging/wasm-deps. Besides these, a module may
# link Threads::Threads and m.

if(EMSCRIPTEN)
    include(goat_external_wasm)
    return()
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(goat_external name package)
    pkg_check_modules(GOAT_${name} REQUIRED IMPORTED_TARGET GLOBAL ${package})
    add_library(goat::${name} ALIAS PkgConfig::GOAT_${name})
    set_property(GLOBAL PROPERTY GOAT_PACKAGE_OF_goat::${name} "${package}")
endfunction()

goat_external(jansson "jansson>=2.12")
goat_external(crypto_openssl "libcrypto>=3.0")
goat_external(libwebsockets "libwebsockets>=4.1")
goat_external(ssl_openssl "libssl>=3.0")
goat_external(pcre2 "libpcre2-8>=10.32")
goat_external(sodium "libsodium>=1.0.18")
if(GOAT_TESTS)
    goat_external(cmocka "cmocka>=1.1.5")
endif()
