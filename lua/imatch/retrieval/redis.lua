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
end

--- The pusher that the parsed options ask for; nil where they ask for none. What cannot be opened ends the program.
function M.open(arguments)
  return arguments.redis and cli.checked(im.redis.open(arguments.redis, {
    prefix = arguments.redis_prefix, ttl_s = arguments.redis_ttl, password = arguments.redis_password or "",
    ca_file = arguments.redis_ca, verify = not arguments.redis_insecure,
    buffer = arguments.redis_buffer or arguments.out .. "/redis_buffer", buffer_mb = arguments.redis_buffer_mb,
  }))
end

return M
