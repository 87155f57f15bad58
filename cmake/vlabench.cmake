# Helpers of the build: strict warnings, one library per folder, embedded data files.

function(vlb_warnings target)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes>
    -ffp-contract=off)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE VLB_VERSION="${PROJECT_VERSION}" VLB_MARCH="${VLB_MARCH}")
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  if(VLB_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(VLB_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${VLB_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${VLB_SANITIZE})
  endif()
endfunction()

# vlb_library(NAME FOLDER DEPS...): static library vlb_NAME from every .c/.cpp below FOLDER.
# Includes are written from the repository root: #include "core/base/status.h".
function(vlb_library name folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.c ${folder}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "cli/main\\.c$")
  if(NOT sources)
    message(FATAL_ERROR "${folder} has no sources")
  endif()
  add_library(vlb_${name} STATIC ${sources})
  vlb_warnings(vlb_${name})
  target_link_libraries(vlb_${name} PUBLIC ${ARGN})
endfunction()

# vlb_embed(TARGET NAME GLOBS...): compiles the files into TARGET as a table `vlb_embedded_NAME`
# of {path relative to the repository root, bytes, size}, closed by a null path (core/base/embed.h).
function(vlb_embed target name)
  file(GLOB files CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${ARGN})
  list(SORT files)
  set(out ${PROJECT_BINARY_DIR}/embedded_${name}.c)
  list(TRANSFORM files PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE absolute)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DROOT=${PROJECT_SOURCE_DIR} "-DFILES=${files}" -DOUT=${out}
            -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${absolute} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
