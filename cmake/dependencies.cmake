# Debian's packages; tools/setup.sh installs them.
find_package(Threads REQUIRED)
find_package(TBB REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)

find_package(hwy REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
# Debian's package has no file for CMake.
find_path(UTF8PROC_INCLUDE_DIR utf8proc.h)
find_library(UTF8PROC_LIBRARY utf8proc)
if(NOT UTF8PROC_INCLUDE_DIR OR NOT UTF8PROC_LIBRARY)
  message(FATAL_ERROR "no utf8proc: tools/setup.sh build brings it (Debian: libutf8proc-dev)")
endif()

if(GRADATIM_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
endif()
