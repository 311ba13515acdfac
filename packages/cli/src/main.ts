console.log("hi", process.version, process.execArgv)
