#!/bin/sh
# Calls the agent by curl: sh curl.sh [http://127.0.0.1:7070]
set -eu
url=${1:-http://127.0.0.1:7070}

echo "# plain JSON"
curl -sS --json '{"text":"hello"}' "$url/peers.shout.v1"

printf '\n\n# a CloudEvent, structured\n'
curl -sS -H 'content-type: application/cloudevents+json' "$url/peers.shout.v1" \
  -d '{"specversion":"1.0","id":"1","source":"/curl","type":"peers.shout.v1","data":{"text":"hello"}}'

printf '\n\n# a CloudEvent, binary: its attributes are headers, and so are those of the answer\n'
curl -sSi --json '{"text":"hello"}' "$url/peers.shout.v1" \
  -H 'ce-specversion: 1.0' -H 'ce-id: 2' -H 'ce-source: /curl' -H 'ce-type: peers.shout.v1'

printf '\n\n# what is wrong\n'
curl -sS --json '{"text":1}' "$url/peers.shout.v1"

printf '\n\n# a stream, as server-sent events\n'
curl -sSN -H 'accept: text/event-stream' --json '{"to":3}' "$url/peers.count.v1"

printf '\n# a subscription, and a publication once it stands\n'
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
mkfifo "$folder/news"
curl -sSN -H 'accept: text/event-stream' "$url/peers.news.v1?topic=news/%2B" >"$folder/news" &
while read -r line; do
  case $line in
  id:*.0) curl -sS --json '{"headline":"curl has news"}' "$url/peers.news.v1?subject=news/local" ;;
  data:*)
    echo "$line"
    kill $!
    break
    ;;
  esac
done <"$folder/news"
