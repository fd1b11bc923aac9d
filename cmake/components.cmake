# One list builds the library and writes the manifest.

# Adds plain sources of the calling folder, and its tests where they are asked for.
function(gradatim_sources)
  foreach(file IN LISTS ARGN)
    target_sources(gradatim_lib PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  endforeach()
endfunction()

# Adds sources that each export one name: loss/huber.cc in gradatim/boost must define
# exports::boost_loss_huber, or the link fails and says so.
function(gradatim_components)
  gradatim_sources(${ARGN})
  file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR}/gradatim ${CMAKE_CURRENT_SOURCE_DIR})
  foreach(file IN LISTS ARGN)
    string(REGEX REPLACE "\\.cc$" "" name "${folder}/${file}")
    string(REPLACE "/" "_" name "${name}")
    set_property(GLOBAL APPEND PROPERTY GRADATIM_EXPORTS ${name})
  endforeach()
endfunction()

# Configures gradatim/api/manifest.cc.in with every export in order of listing.
function(gradatim_write_manifest target)
  get_property(names GLOBAL PROPERTY GRADATIM_EXPORTS)
  set(DECLARATIONS "")
  set(ADDRESSES "")
  foreach(name IN LISTS names)
    string(APPEND DECLARATIONS "extern const ::gradatim::api::Entry ${name};\n")
    string(APPEND ADDRESSES "    &exports::${name},\n")
  endforeach()
  configure_file(${CMAKE_SOURCE_DIR}/gradatim/api/manifest.cc.in
                 ${CMAKE_BINARY_DIR}/manifest.cc @ONLY)
  target_sources(${target} PRIVATE ${CMAKE_BINARY_DIR}/manifest.cc)
endfunction()

# One test program a folder: x_test.cc beside x.cc.
function(gradatim_tests name)
  if(NOT GRADATIM_TESTS)
    return()
  endif()
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE sources)
  add_executable(${name}_test ${sources})
  target_link_libraries(${name}_test PRIVATE gradatim_lib nlohmann_json::nlohmann_json
                        GTest::gtest GTest::gtest_main)
  set_target_properties(${name}_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name}_test)
endfunction()

# The same suites ("A*:B*") of a test program again, with fewer vector instructions than the best.
function(gradatim_test_on_every_target name suites)
  if(NOT GRADATIM_TESTS)
    return()
  endif()
  foreach(target portable avx2)
    add_test(NAME ${name}_${target} COMMAND ${name}_test --gtest_filter=${suites})
    set_tests_properties(${name}_${target} PROPERTIES ENVIRONMENT GRADATIM_SIMD=${target})
  endforeach()
endfunction()
