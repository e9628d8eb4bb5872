#!/bin/bash
# The official CEL suite, where Go is there; otherwise it says that it is skipped.
exec "$(dirname "$0")/conformance/run.sh" build/attent
