# Debian's packages; tools/setup.sh installs them.
find_package(Threads REQUIRED)
find_package(TBB REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)

find_package(hwy REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)

if(GRADATIM_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
endif()
