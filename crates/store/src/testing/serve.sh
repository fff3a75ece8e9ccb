# Serves a throw-away PostgreSQL to the test processes of one build.
# Usage: serve.sh BIN_DIR DIRECTORY. Ends, and removes DIRECTORY, when for two
# seconds nobody has held a lock on DIRECTORY/users. It holds a lock on
# DIRECTORY/alive as long as it lives, by which others know that it does.
set -u
bin=$1
dir=$2
cd "$dir" || exit 1
exec 8>>alive
flock -n -x 8 || exit 1
rm -rf data

"$bin/initdb" -D data -U kulkul -A trust -E UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=id \
    --no-sync >log 2>&1 ||
    { rm -rf data; "$bin/initdb" -D data -U kulkul -A trust -E UTF8 --locale=C.UTF-8 --no-sync >>log 2>&1; } ||
    exit 1

# It goes when this script goes, even when the script is killed.
setpriv --pdeathsig INT "$bin/postgres" -D data -k "$dir" -c listen_addresses= -c fsync=off \
    -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB -c max_connections=200 \
    -c autovacuum=off >>log 2>&1 8<&- &
server=$!

until "$bin/pg_isready" -q -h "$dir" -U kulkul -d postgres; do
    kill -0 "$server" 2>/dev/null || exit 1
    sleep 0.05
done
: >serving

while kill -0 "$server" 2>/dev/null; do
    flock -x users true
    sleep 2
    exec 9<gate
    flock -x 9
    if flock -n -x users true; then
        break
    fi
    exec 9<&-
done
kill -INT "$server" 2>/dev/null
wait "$server"
cd /
# First out of the way in one step: who comes now makes a directory of its own,
# and none of its files is among those that are removed.
mv "$dir" "$dir.gone-$$" && rm -rf "$dir.gone-$$"
