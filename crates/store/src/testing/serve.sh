# Serves a throw-away PostgreSQL to the test processes of one build.
# Usage: serve.sh BIN_DIR DIRECTORY. Ends, and removes DIRECTORY, when for two
# seconds nobody has held a lock on DIRECTORY/users.
set -u
bin=$1
dir=$2
cd "$dir" || exit 1

"$bin/initdb" -D data -U kulkul -A trust -E UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=id \
    --no-sync >log 2>&1 ||
    { rm -rf data; "$bin/initdb" -D data -U kulkul -A trust -E UTF8 --locale=C.UTF-8 --no-sync >>log 2>&1; } ||
    { : >failed; exit 1; }

# It goes when this script goes, even when the script is killed.
setpriv --pdeathsig INT "$bin/postgres" -D data -k "$dir" -c listen_addresses= -c fsync=off \
    -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB -c max_connections=200 \
    -c autovacuum=off >>log 2>&1 &
server=$!

until "$bin/pg_isready" -q -h "$dir" -U kulkul -d postgres; do
    kill -0 "$server" 2>/dev/null || { : >failed; exit 1; }
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
rm -f serving
kill -INT "$server" 2>/dev/null
wait "$server"
cd /
rm -rf "$dir"
