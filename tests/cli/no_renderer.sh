# a machine without OpenGL: what to install, and nothing left that looks like a result
cp -r "$data"/tiny/. .
export __EGL_VENDOR_LIBRARY_DIRS=/nowhere
try() { # COMMAND...
  "$@" >out.txt 2>err.txt
  echo "exit $?"
  sed 's/; surfaceless.*//' err.txt # how EGL words it changes with its version
}
try vlabench render suite/0 -o start.png
try vlabench demos suite -o demos --per_task 1 -q
try vlabench doctor
grep -c PROBLEM out.txt
ls
