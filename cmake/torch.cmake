# libtorch of the torch wheel, as the target gradatim_torch, where the Python of this build has one.
#
# Not find_package(Torch): the configuration of a CUDA wheel stops where there is no CUDA toolkit, and
# linking the wheel's libraries needs none.
function(gradatim_find_torch)
  execute_process(
    COMMAND ${Python_EXECUTABLE} -c
      "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
    OUTPUT_VARIABLE root OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT root OR NOT EXISTS ${root}/lib/libtorch_cpu.so)
    return()
  endif()
  add_library(gradatim_torch INTERFACE)
  # Behind the system's, since the wheel brings headers of another fmt.
  target_compile_options(gradatim_torch INTERFACE "SHELL:-idirafter ${root}/include")
  target_link_libraries(gradatim_torch INTERFACE -Wl,--no-as-needed)
  foreach(name IN ITEMS torch torch_cpu torch_cuda c10 c10_cuda)
    if(EXISTS ${root}/lib/lib${name}.so)
      target_link_libraries(gradatim_torch INTERFACE ${root}/lib/lib${name}.so)
    endif()
  endforeach()
  target_link_libraries(gradatim_torch INTERFACE -Wl,--as-needed)
  target_compile_options(gradatim_torch INTERFACE -fopenmp)  # else at::parallel_for runs serially
  set(GRADATIM_TORCH_ROOT ${root} PARENT_SCOPE)
endfunction()
