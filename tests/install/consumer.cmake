# The CMakeLists.txt of the consumer that finds libgoat as a CMake package.
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES C)
find_package(libgoat @VERSION@ REQUIRED)
add_executable(cmake_shared consumer.c)
target_link_libraries(cmake_shared PRIVATE libgoat::goat)
add_executable(cmake_static consumer.c)
target_link_libraries(cmake_static PRIVATE libgoat::static)
