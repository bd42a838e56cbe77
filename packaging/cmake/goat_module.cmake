# goat_module: one folder below core/ (or abi/) is one object library, gt_<name>.
#
#     goat_module(NAME value SOURCES decode.c json.c USES base LINK goat::jansson)
#
# USES names the modules whose headers it may include (with what they use in turn); LINK names external
# targets. A module sees only those headers: each folder has an include directory of its own in the
# build tree that holds one symbolic link, so an include that is not allowed does not compile.
# The order of the layers as such is checked by tests/tidy.
#
# A part that is linked in at the edge, such as port/posix, is a module of its own named port_posix.

# An include directory that holds core/<folder> and nothing else, in `variable`.
function(goat_view folder variable)
    set(view "${PROJECT_BINARY_DIR}/include/${folder}")
    file(MAKE_DIRECTORY "${view}")
    file(CREATE_LINK "${PROJECT_SOURCE_DIR}/core/${folder}" "${view}/${folder}" SYMBOLIC)
    set(${variable} "${view}" PARENT_SCOPE)
endfunction()

define_property(GLOBAL PROPERTY GOAT_MODULES BRIEF_DOCS "names of all modules, in order")
define_property(GLOBAL PROPERTY GOAT_EXTERNAL BRIEF_DOCS "external targets that modules link")

function(goat_module)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;USES;LINK")
    if(NOT arg_NAME OR NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "goat_module(NAME <name> SOURCES <file>... [USES <module>...] [LINK <target>...])")
    endif()
    set(target gt_${arg_NAME})
    add_library(${target} OBJECT ${arg_SOURCES})
    target_link_libraries(${target} PUBLIC goat_headers ${arg_LINK} PRIVATE goat_flags)

    cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY "${PROJECT_SOURCE_DIR}/core"
               OUTPUT_VARIABLE folder)
    if(NOT folder MATCHES "^\\.\\.")
        string(REGEX REPLACE "/.*" "" folder "${folder}") # port/posix lies in the folder port
        goat_view("${folder}" view)
        target_include_directories(${target} PUBLIC "${view}")
        target_compile_options(${target} PUBLIC "-fmacro-prefix-map=${view}/=core/")
    endif()
    foreach(used IN LISTS arg_USES)
        target_link_libraries(${target} PUBLIC gt_${used})
    endforeach()

    set_property(GLOBAL APPEND PROPERTY GOAT_MODULES ${arg_NAME})
    set_property(GLOBAL APPEND PROPERTY GOAT_EXTERNAL ${arg_LINK})
endfunction()

# The object files of the modules named, and the external targets of all, into a library or program.
function(goat_link_modules target)
    foreach(module IN LISTS ARGN)
        target_sources(${target} PRIVATE $<TARGET_OBJECTS:gt_${module}>)
    endforeach()
    get_property(external GLOBAL PROPERTY GOAT_EXTERNAL)
    list(REMOVE_DUPLICATES external)
    target_link_libraries(${target} PRIVATE ${external})
endfunction()
