-- Search results for a Redis server, as a command's options ask for them.
local cli = require "imatch.cli"
local im = require "imatch"

local M = {}

--- The options of the server, of its keys and of the file that holds rows while it is away.
function M.options(parser)
  parser:option("--redis", "push each row there: redis://[:password@]host[:port][/db], rediss:// for TLS")
  parser:option("--redis-prefix", "of the keys"):default "coarse"
  parser:option("--redis-ttl", "seconds that a key lives; 0: for ever"):default "0":convert(cli.number(0))
  cli.option(parser, "--redis-password", "of the server", { "REDIS_PASSWORD" })
  parser:option("--redis-ca", "file of certificates for TLS (default: the system's)")
  parser:flag("--redis-insecure", "do not check the server's certificate")
  parser:option("--redis-buffer", "file that holds rows while the server is away (default: <out>/redis_buffer)")
  parser:option("--redis-buffer-mb", "its largest size"):default "256":convert(cli.number(1e-6))
  parser:option("--redis-wait", "seconds that a full buffer, and the end, wait for the server"):default "10"
    :convert(cli.number(0))
end

--- The pusher that the parsed options ask for; nil where they ask for none. What cannot be opened ends the program.
function M.open(arguments)
  return arguments.redis and cli.checked(im.redis.open(arguments.redis, {
    prefix = arguments.redis_prefix, ttl_s = arguments.redis_ttl, password = arguments.redis_password or "",
    ca_file = arguments.redis_ca, verify = not arguments.redis_insecure,
    buffer = arguments.redis_buffer or arguments.out .. "/redis_buffer", buffer_mb = arguments.redis_buffer_mb,
    wait_s = arguments.redis_wait,
  }))
end

--- Says once what went wrong with a push; the search goes on, since its files are written either way.
---@param redis table RedisPusher
---@param ... any arguments of push_results
function M.push(redis, ...)
  local counts, message = redis:push_results(...)
  if not counts then
    cli.warn(message)
  end
end

--- Sends what waits and says what became of the rows. False when some have not arrived.
---@param redis table RedisPusher
---@return boolean
function M.finish(redis)
  local sent, message = redis:finish()
  if not sent then
    cli.warn(message)
  end
  local counts = redis:counts()
  print(("redis: %d pushed, %d wait in %s"):format(counts.pushed, counts.waiting, counts.buffer))
  if counts.waiting > 0 then
    cli.warn(("%d rows have not arrived; the next run with --redis-buffer %s sends them"):format(counts.waiting, counts.buffer))
  end
  if counts.lost > 0 then
    cli.warn(("%d rows are lost: the server was away and the buffer full; search again, what has arrived does not come twice")
      :format(counts.lost))
  end
  return counts.waiting + counts.lost == 0
end

return M
