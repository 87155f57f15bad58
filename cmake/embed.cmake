# Writes OUT: a C table of FILES (relative to ROOT), whose bytes the assembler includes. Run by vlb_embed with cmake -P.
set(text "#include \"core/base/embed.h\"\n")
set(rows "")
set(i 0)
foreach(file ${FILES})
  file(SIZE ${ROOT}/${file} size)
  string(APPEND text "__asm__(\".pushsection .rodata\\n.balign 64\\nvlb_${NAME}_${i}: .incbin \\\"${ROOT}/${file}\\\"\\n.byte 0\\n.popsection\");\n"
    "extern const unsigned char vlb_${NAME}_${i}[];\n")
  string(APPEND rows "  {\"${file}\", vlb_${NAME}_${i}, ${size}},\n")
  math(EXPR i "${i} + 1")
endforeach()
string(APPEND text "extern const vlb_embedded vlb_embedded_${NAME}[];\n"
  "const vlb_embedded vlb_embedded_${NAME}[] = {\n${rows}  {0, 0, 0}};\n")
file(WRITE ${OUT} "${text}")
