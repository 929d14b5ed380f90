# Fails when FILE is not what TOOL prints.
execute_process(COMMAND ${TOOL} OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)
file(READ ${FILE} kept)
if(NOT printed STREQUAL kept)
  message(FATAL_ERROR "${FILE} is out of date; run: ${TOOL} > ${FILE}")
endif()
