#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Turns the numbered SQL files into one C table: number, octets.
# Octet arrays, because ISO C promises string literals of 4095 octets only.
set -eu
echo '/* Made by schema/embed.sh from schema/NNN-*.sql. */'
for file in "$@"; do
    name=$(basename "$file")
    echo "static const char sql_${name%%-*}[] = {"
    od -An -v -tx1 "$file" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
    echo '0x00 };'
done
echo 'static const struct schema_file { int version; const char *sql; } schema_files[] = {'
for file in "$@"; do
    name=$(basename "$file")
    number=${name%%-*}
    echo "{ $(echo "$number" | sed 's/^0*//'), sql_$number },"
done
echo '};'
