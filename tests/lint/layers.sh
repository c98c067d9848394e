#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who may include whom, how long a function may be, and the licence line.
# Prints file:line for each offence; exits 1 when there is one.
set -u
cd "$(dirname "$0")/../.." || exit 1
offences=0

offend() { # file line what
    echo "$1:$2: $3"
    offences=$((offences + 1))
}

# --- the folders: what each may include, as extended regular expressions ----
declare -A may=(
    [common]='common/'
    [collector]='common/|collector/'
    [exposure]='common/|exposure/|collector/flow\.h$'
    [store]='common/|store/|exposure/finding\.h$|schema_sql\.h$'
    [api]='common/|api/|store/query\.h$'
    [daemon]='.'
    [client]='common/|client/'
    [bench]='bench/' # a sender knows nothing of the program
    [tests]='.'
)

# --- the libraries: header pattern, and the files that may include it --------
libraries=(
    'event2/'           '^(collector/udp\.c|api/http\.c|daemon/|tests/)'
    'sqlite3\.h'        '^(store/|tests/)'
    'fixbuf/'           '^(collector/fixbuf\.c|tests/)'
    'pcap'              '^(collector/capture\.c|tests/)'
    'confuse\.h'        '^(daemon/config_file\.c|tests/)'
    'jansson\.h'        '^(api/|client/|daemon/|bench/flowgen\.c|tests/)'
    'systemd/'          '^daemon/'
    '(sys/socket|sys/un|netdb|netinet/in)\.h'
                        '^(collector/udp\.c|api/http\.c|client/|daemon/|bench/sender\.c|tests/)'
)

check_own() { # file line header
    local folder=${1%%/*}
    [[ $3 =~ ^(${may[$folder]}) ]] ||
        offend "$1" "$2" "$folder/ may not include \"$3\""
}

check_library() { # file line header
    local i
    for ((i = 0; i < ${#libraries[@]}; i += 2)); do
        [[ $3 =~ ^${libraries[i]} ]] || continue
        [[ $1 =~ ${libraries[i + 1]} ]] ||
            offend "$1" "$2" "may not include <$3>"
    done
}

check_includes() { # files
    local file line rest header
    while IFS=: read -r file line rest; do
        header=${rest#*include}
        header=${header#"${header%%[\"<]*}"}
        case $header in
        '"'*) header=${header#?} && check_own "$file" "$line" "${header%%\"*}" ;;
        '<'*) header=${header#?} && check_library "$file" "$line" "${header%%>*}" ;;
        esac
    done < <(grep -nE '^#[[:space:]]*include' "$@" /dev/null)
}

# A function runs from its name at the line's beginning to the closing brace.
check_lengths() { # files
    local file line length
    while read -r file line length; do
        offend "$file" "$line" "a function of $length lines; 80 are the most"
    done < <(awk '
        FNR == 1 { start = 0 }
        /^[a-zA-Z_][a-zA-Z0-9_]*\(/ { start = FNR - 1 }
        /^\}/ && start {
            if (FNR - start + 1 > 80)
                print FILENAME, start, FNR - start + 1
            start = 0
        }' "$@")
}

check_licences() { # files
    local file
    while read -r file; do
        offend "$file" 1 "no SPDX-License-Identifier on the first line"
    done < <(for file in "$@"; do
        head -n 1 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
            echo "$file"
    done)
}

shopt -s nullglob
sources=() bodies=()
for folder in "${!may[@]}"; do
    sources+=("$folder"/*.[ch])
    [ "$folder" = tests ] || bodies+=("$folder"/*.c)
done
sources+=(tests/fuzz/*.c)
[ ${#sources[@]} -gt 20 ] || { echo "layers: no sources here"; exit 1; }
check_includes "${sources[@]}"
check_lengths "${bodies[@]}"
check_licences "${sources[@]}"
[ "$offences" -eq 0 ]
