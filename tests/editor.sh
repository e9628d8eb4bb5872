#!/bin/bash
# What an editor shows: the YAML language server with our schemas, on good and on bad files.
set -u
cd "$(dirname "$0")/.." || exit 2
if ! command -v node >/dev/null; then
    echo 'no node here: deploy/install editor'
    exit 77
fi
if [ ! -e build/editor/.complete ]; then
    echo 'no YAML language server here: deploy/install editor'
    exit 77
fi
exec node tests/editor/client.js
