message(FATAL_ERROR "This build has the program alone. Run ./setup --tests, or cmake -DBUILD_TESTING=ON and a build, then ctest.")
