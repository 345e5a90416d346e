#!/bin/sh
# Makes a certificate authority, and certificates that it signs: for machines of a cluster, and for clients.
#
#   deploy/certificates.sh FOLDER NAME[,NAME...] ...
#
# Each word after FOLDER is one certificate, FOLDER/NAME.crt with FOLDER/NAME.key, for all the names (or addresses) between its
# commas; the file has the first one's name, where *. is written as "any". FOLDER/ca.crt is what --tls-ca wants. Made again, with
# more names, it goes on with the authority that is there; FOLDER/ca.key signs, and belongs on no machine of the cluster.
set -eu

days=${DAYS:-825}

if [ $# -lt 2 ]; then
  sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
folder=$1
shift
umask 077
mkdir -p "$folder"

if [ ! -f "$folder/ca.key" ]; then
  openssl ecparam -name prime256v1 -genkey -noout -out "$folder/ca.key"
  openssl req -x509 -new -sha256 -key "$folder/ca.key" -days 3650 -subj "/CN=qstream" -out "$folder/ca.crt" \
    -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign"
fi

for names in "$@"; do
  first=${names%%,*}
  file=$(printf %s "$first" | sed 's/^\*\./any./')
  case $file in
    '' | */* | *[!A-Za-z0-9._:-]*)
      echo "deploy/certificates.sh: $first is no name of a machine" >&2
      exit 2
      ;;
  esac
  alternatives=$(printf '%s\n' "$names" | tr ',' '\n' | while read -r name; do
    # An address is one that has only digits and dots, or a colon.
    case $name in
      *:* | *[0-9].[0-9]*.[0-9]*.[0-9]*) case $name in *[!0-9a-fA-F.:]*) printf 'DNS:%s\n' "$name" ;; *) printf 'IP:%s\n' "$name" ;; esac ;;
      *) printf 'DNS:%s\n' "$name" ;;
    esac
  done | paste -s -d , -)
  # A name that has more than 64 letters is no common name; nobody looks at it where there are alternatives.
  common=$(printf %.64s "$first")
  openssl ecparam -name prime256v1 -genkey -noout -out "$folder/$file.key"
  openssl req -new -sha256 -key "$folder/$file.key" -subj "/CN=$common" -out "$folder/$file.csr"
  # Machines dial each other: each is server and client.
  printf '%s\n' "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" \
    "extendedKeyUsage=serverAuth,clientAuth" "subjectAltName=$alternatives" > "$folder/$file.extensions"
  openssl x509 -req -sha256 -in "$folder/$file.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -CAcreateserial \
    -days "$days" -extfile "$folder/$file.extensions" -out "$folder/$file.crt" 2>/dev/null
  rm -f "$folder/$file.csr" "$folder/$file.extensions"
  openssl verify -CAfile "$folder/ca.crt" "$folder/$file.crt"
done
